"""What was measured, beside what it should be."""

from dataclasses import dataclass, field


@dataclass
class Report:
    rows: list[tuple[str, str, str, str, bool]] = field(default_factory=list)

    @property
    def all_met(self) -> bool:
        return all(met for *_, met in self.rows)

    def compare(self, what: str, ours: float, theirs: float, unit: str, at_most=None, at_least=None) -> None:
        """A ratio of Postern to OpenSSH."""
        ratio = ours / theirs
        target = f"<= {at_most:g}" if at_most is not None else f">= {at_least:g}"
        met = ratio <= at_most if at_most is not None else ratio >= at_least
        figures = f"{ours:.2f} {unit} to {theirs:.2f} {unit}"
        self._add(what, figures, f"{ratio:.2f}", target, met)

    def limit(self, what: str, value: float, unit: str, at_most: float) -> None:
        self._add(what, f"{value:.2f} {unit}", "", f"<= {at_most:g} {unit}", value <= at_most)

    def at_least(self, what: str, value: float, unit: str, at_least: float) -> None:
        self._add(what, f"{value:.0f} {unit}", "", f">= {at_least:g} {unit}", value >= at_least)

    def note(self, what: str, value: str) -> None:
        self._add(what, value, "", "", True)

    def _add(self, what, figures, ratio, target, met):
        self.rows.append((what, figures, ratio, target, met))
        print(f"  {what}: {figures} {ratio and 'ratio ' + ratio} {target and 'target ' + target}", flush=True)

    def print(self) -> None:
        widths = [max(len(row[n]) for row in self.rows) for n in range(4)]
        print()
        for *texts, met in self.rows:
            verdict = "" if not texts[3] else "ok" if met else "MISSED"
            print("  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)), verdict)
