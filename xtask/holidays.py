"""Prints a file of crates/domain/data/holidays: python3 xtask/holidays.py IN 2025 2035 > crates/domain/data/holidays/IN.txt

Needs the PyPI package holidays (MIT), which knows the days of all five countries up to 2035.
"""
import sys, holidays, collections
TITLES={'IN':'India','US':'the United States','GB':'the United Kingdom','FR':'France','AU':'Australia'}
c,first,last=sys.argv[1],int(sys.argv[2]),int(sys.argv[3])
cls=getattr(holidays,c); years=range(first,last+1)
lang='en_IN' if c=='IN' else ('en_US' if c in('US','FR') else ('en_GB' if c=='GB' else 'en_AU'))
def of(sub):
    return dict(cls(years=years,subdiv=sub,language=lang).items())
nat=of(None); regions=[s for s in cls.subdivisions if ' ' not in s]
per=collections.defaultdict(lambda: collections.defaultdict(list))
for r in regions:
    for d,n in of(r).items():
        if d not in nat: per[d][n].append(r)
print(f"# Public holidays of {TITLES[c]}. Check them against the official gazette before the year begins: days that follow the moon are estimates.")
print(f"source: PyPI package holidays {holidays.__version__} (MIT), https://github.com/vacanza/holidays")
print(f"years: {first}-{last}")
print(f"regions: {' '.join(regions)}")
rows=[(d,'*',n) for d,n in nat.items()]+[(d,','.join(rs),n) for d,m in per.items() for n,rs in m.items()]
for d,k,n in sorted(rows): print(d.isoformat(),k,n.replace('\n',' '))
