"""Drawing boxes, arrows and text as SVG, in a few words. Coordinates are pixels, y goes down."""

from html import escape

_STYLE = """<style>
  text { font: 14px sans-serif; fill: #222; }
  .small { font-size: 12px; fill: #555; }
  .box { fill: #eef3fa; stroke: #44618a; stroke-width: 1.5; }
  .bad { fill: #fbe9e7; stroke: #b23b2e; stroke-width: 1.5; }
  .line { stroke: #44618a; stroke-width: 1.5; fill: none; }
  .red { stroke: #b23b2e; stroke-width: 1.5; fill: none; }
  .task { fill: #8fb0dc; }
  .wait { fill: #dfe8f4; }
  .life { stroke: #999; stroke-width: 1; stroke-dasharray: 4 4; }
</style>
<defs>
  <marker id="tip" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto">
    <path d="M0,0 L9,4 L0,8 z" fill="context-stroke" />
  </marker>
</defs>"""


class Drawing:
    def __init__(self, title, width, height):
        self.title, self.width, self.height = title, width, height
        self.parts = []

    def text(self, x, y, words, anchor="middle", css=""):
        mark = f' class="{css}"' if css else ""
        self.parts.append(f'<text x="{x}" y="{y}" text-anchor="{anchor}"{mark}>{escape(words)}</text>')

    def box(self, x, y, width, lines, css="box"):
        """A box around (x, y) with one line of text or several; the further ones are small."""
        height = 16 + 18 * len(lines)
        self.parts.append(
            f'<rect x="{x - width / 2:g}" y="{y - height / 2:g}" width="{width}" height="{height}" rx="6"'
            f' class="{css}" />'
        )
        for number, line in enumerate(lines):
            self.text(x, f"{y - height / 2 + 22 + 18 * number:g}", line, css="small" if number else "")

    def arrow(self, start, end, words="", css="line", tip=True):
        (x1, y1), (x2, y2) = start, end
        mark = ' marker-end="url(#tip)"' if tip else ""
        self.parts.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" class="{css}"{mark} />')
        if words:
            self.text(f"{(x1 + x2) / 2:g}", f"{(y1 + y2) / 2 - 6:g}", words, css="small")

    def bar(self, start, end, y, height, css, words):
        """A bar from x to x; the words are shown to whoever points at it."""
        self.parts.append(
            f'<rect x="{start:.1f}" y="{y}" width="{max(end - start, 0.5):.1f}" height="{height}" class="{css}">'
            f"<title>{escape(words)}</title></rect>"
        )

    def source(self):
        return "\n".join(
            [
                f'<svg xmlns="http' + f'://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"'
                f' width="{self.width}" height="{self.height}" role="img">',
                f"<title>{escape(self.title)}</title>",
                _STYLE,
                f'<rect width="{self.width}" height="{self.height}" fill="#fff" />',
                *self.parts,
                "</svg>\n",
            ]
        )
