#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""figures.json -> table.md and chart.png: report.py RESULTS. Ratios of medians of one run."""
import json
import sys

SUBJECTS = ('podctl', 'podman', 'crun', 'floor')
COLOURS = {'podctl': '#2a6f97', 'podman': '#892ca0', 'crun': '#c97b2a', 'floor': '#999999'}


def number(value, unit):
    if unit == 'mounts':
        return f'{value:.0f}'
    return f'{value:.1f} {unit}' if value >= 1 else f'{value:.2f} {unit}'


def ratio(value, base):
    return f'{value / base:.1f} ×' if base else ''


def table(data):
    lines = ['| Work | podctl | podman | crun | floor | podman / podctl | podctl / crun | podctl / floor |',
             '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |']
    for row in data['rows']:
        values = row['values']
        cells = [number(values[name], row['unit']) if name in values else '' for name in SUBJECTS]
        own = values.get('podctl')
        cells.append(ratio(values['podman'], own) if own and 'podman' in values else '')
        for name in ('crun', 'floor'):
            cells.append(ratio(own, values[name]) if own and name in values else '')
        lines.append(f'| {row["title"]} | ' + ' | '.join(cells) + ' |')
    return lines


def write_table(data, path):
    versions = data['versions']
    facts = [versions.get(name) for name in ('podctl', 'podman', 'crun', 'systemd') if versions.get(name)]
    lines = ['# Figures', '',
             f'{data["date"]}; {versions["cpu"]}, {versions["cores"]} cores, Linux {versions["kernel"]}; '
             + '; '.join(facts) + '.', '',
             'Medians of one run, samples of all programs taken in turns, inside one booted system, storage in memory. '
             'The machine is shared and noisy: read the ratios, not the times.'
             + (' A quick run: few samples.' if data['quick'] else ''), '']
    lines += table(data) + ['', 'Made by `tests/bench/run`.', '']
    with open(path, 'w', encoding='utf-8') as stream:
        stream.write('\n'.join(lines))


def write_chart(data, path):
    try:
        import matplotlib
    except ImportError:
        print('no chart: matplotlib is not there')
        return
    matplotlib.use('Agg')
    from matplotlib import pyplot
    rows = [row for row in data['rows'] if row['unit'] in ('ms', 's') and row['values']]
    figure, axes = pyplot.subplots(figsize=(9, 0.75 * len(rows) + 1.2))
    height = 0.8 / len(SUBJECTS)
    for place, name in enumerate(SUBJECTS):
        points = [(len(rows) - index - place * height, row['values'][name] * (1000 if row['unit'] == 's' else 1))
                  for index, row in enumerate(rows) if name in row['values']]
        axes.barh([y for y, _ in points], [x for _, x in points], height=height, label=name, color=COLOURS[name])
        for y, x in points:
            axes.text(x * 1.05, y, f'{x:.0f}' if x >= 100 else f'{x:.3g}', va='center', fontsize=7)
    axes.set_xscale('log')
    axes.set_yticks([len(rows) - index - 1.5 * height for index in range(len(rows))], [row['title'] for row in rows])
    axes.set_xlabel('milliseconds (logarithmic)')
    axes.legend(loc='lower right', fontsize=8)
    for side in ('top', 'right'):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main():
    results = sys.argv[1]
    with open(f'{results}/figures.json', encoding='utf-8') as stream:
        data = json.load(stream)
    write_table(data, f'{results}/table.md')
    write_chart(data, f'{results}/chart.png')
    print('\n'.join(table(data)))


if __name__ == '__main__':
    main()
