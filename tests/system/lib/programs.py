# SPDX-License-Identifier: LGPL-2.1-or-later
"""Static programs of the tests, made when first asked for."""
import functools
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = os.environ.get('PODCTL_TEST_OUT', '/var/tmp')


@functools.lru_cache(maxsize=None)
def build(name):
    """Path of the program made from NAME.c."""
    compiler = shutil.which('musl-gcc') or shutil.which('gcc')
    path = os.path.join(OUT, f'{name}-{os.getpid()}')
    subprocess.run([compiler, '-static', '-std=gnu17', '-D_GNU_SOURCE', '-O2', '-Wall', '-o', path,
                    os.path.join(HERE, f'{name}.c')], check=True)
    return path
