"""Prints a file of crates/domain/data/holidays:

    python3 xtask/holiday_files.py IN 2025 2035 > crates/domain/data/holidays/IN.txt

Needs the PyPI package holidays (MIT), which knows the days of all five countries up to 2035.
"""

import collections
import sys

import holidays

TITLES = {"AU": "Australia", "FR": "France", "GB": "the United Kingdom", "IN": "India", "US": "the United States"}
LANGUAGES = {"AU": "en_AU", "FR": "en_US", "GB": "en_GB", "IN": "en_IN", "US": "en_US"}

country, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
kind = getattr(holidays, country)
regions = [region for region in kind.subdivisions if " " not in region]


def days_of(region):
    return dict(kind(years=range(first, last + 1), subdiv=region, language=LANGUAGES[country]).items())


national = days_of(None)
regional = collections.defaultdict(lambda: collections.defaultdict(list))
for region in regions:
    for day, name in days_of(region).items():
        if day not in national:
            regional[day][name].append(region)

rows = [(day, "*", name) for day, name in national.items()]
for day, names in regional.items():
    # A day that all regions keep is the country's, whatever each of them calls it.
    if {region for kept in names.values() for region in kept} == set(regions):
        rows.append((day, "*", "; ".join(names)))
    else:
        rows += [(day, ",".join(kept), name) for name, kept in names.items()]

print(
    f"# Public holidays of {TITLES[country]}. Check them against the official gazette before the year begins: days that follow the moon"
    " are estimates."
)
print(f"source: PyPI package holidays {holidays.__version__} (MIT), https://github.com/vacanza/holidays")
print(f"years: {first}-{last}")
print(f"regions: {' '.join(regions)}")
for day, kept, name in sorted(rows):
    print(day.isoformat(), kept, name.replace("\n", " "))
