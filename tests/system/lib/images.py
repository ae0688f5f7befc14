# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes images as files: a docker-archive and an OCI layout, from a list of layers."""
import gzip
import hashlib
import io
import json
import os
import tarfile


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def layer(entries):
    """A layer tar from {path: text | None for a directory | ('link', target)}."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode='w') as tar:
        for path, content in entries.items():
            info = tarfile.TarInfo(path)
            if content is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(info)
            elif isinstance(content, tuple):
                info.type, info.linkname = tarfile.SYMTYPE, content[1]
                tar.addfile(info)
            else:
                data = content if isinstance(content, bytes) else content.encode()
                info.size, info.mode = len(data), 0o755
                tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def config(layers, **settings):
    return json.dumps({
        'architecture': 'amd64', 'os': 'linux', 'created': '2024-01-01T00:00:00Z', 'config': settings,
        'rootfs': {'type': 'layers', 'diff_ids': [f'sha256:{sha256(data)}' for data in layers]},
        'history': [{'created_by': 'test'} for _ in layers],
    }).encode()


def _add(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def docker_archive(path, tag, layers, **settings):
    text = config(layers, **settings)
    names = [f'{sha256(data)}.tar' for data in layers]
    manifest = [{'Config': f'{sha256(text)}.json', 'RepoTags': [tag], 'Layers': names}]
    with tarfile.open(path, 'w') as tar:
        for name, data in zip(names, layers):
            _add(tar, name, data)
        _add(tar, f'{sha256(text)}.json', text)
        _add(tar, 'manifest.json', json.dumps(manifest).encode())


def oci_layout(path, tag, layers, **settings):
    """A directory; layers are compressed, as registries have them."""
    blobs = f'{path}/blobs/sha256'
    os.makedirs(blobs)

    def blob(data, kind):
        name = sha256(data)
        with open(f'{blobs}/{name}', 'wb') as stream:
            stream.write(data)
        return {'mediaType': kind, 'digest': f'sha256:{name}', 'size': len(data)}

    manifest = json.dumps({
        'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json',
        'config': blob(config(layers, **settings), 'application/vnd.oci.image.config.v1+json'),
        'layers': [blob(gzip.compress(data, mtime=0), 'application/vnd.oci.image.layer.v1.tar+gzip') for data in layers],
    }).encode()
    entry = blob(manifest, 'application/vnd.oci.image.manifest.v1+json')
    entry['annotations'] = {'org.opencontainers.image.ref.name': tag}
    with open(f'{path}/index.json', 'w', encoding='ascii') as stream:
        json.dump({'schemaVersion': 2, 'manifests': [entry]}, stream)
    with open(f'{path}/oci-layout', 'w', encoding='ascii') as stream:
        stream.write('{"imageLayoutVersion": "1.0.0"}')


def oci_archive(path, directory):
    with tarfile.open(path, 'w') as tar:
        for name in ('oci-layout', 'index.json', 'blobs'):
            tar.add(f'{directory}/{name}', arcname=name)
