package print

import (
	"fmt"
	"io"
	"strings"
)

// table lays out rows: in a file as wide as they are, on a terminal within its width. There digests are short, states
// have a symbol and a colour, and what is too long for its column is wrapped, or stands below its row behind the
// column's name.
type table struct {
	w       io.Writer
	screen  Screen
	columns []column
	rows    [][]string
}

type column struct {
	name   string
	digest bool   // is shortened on a terminal
	state  bool   // has a symbol and a colour
	breaks bool   // may be wrapped
	behind string // characters behind which it may be, besides blanks
	below  bool   // may stand below its row
	above  bool   // may stand above its rows; of the first column
}

// What columns hold. A plain string is a column that is neither shortened nor wrapped.
func digestColumn(name string) column { return column{name: name, digest: true} }
func stateColumn(name string) column  { return column{name: name, state: true} }
func textColumn(name string) column {
	return column{name: name, breaks: true, behind: ",", below: true}
}

func pathColumn(name string) column {
	return column{name: name, breaks: true, behind: ",/@", below: true}
}
func nameColumn(name string) column { return column{name: name, breaks: true, behind: "/:@"} }

// newTable begins a table; each head is a column or the name of one. Without names there is no line for them.
func newTable(w io.Writer, heads ...any) *table {
	t := &table{w: w, screen: screen(w)}
	for _, head := range heads {
		c, ok := head.(column)
		if !ok {
			c = column{name: fmt.Sprint(head)}
		}
		c.name = Line(c.name)
		t.columns = append(t.columns, c)
	}
	return t
}

// row adds a row. Cells that are missing at its end are empty.
func (t *table) row(cells ...any) {
	row := make([]string, len(t.columns))
	for i, cell := range cells {
		text := Line(fmt.Sprint(cell))
		switch c := t.columns[i]; {
		case c.digest && !t.screen.Whole:
			text = shortDigest(text)
		case c.state && t.screen.Marks && text != "":
			text = toneOf(text).mark(t.screen.ASCII) + " " + text
		}
		row[i] = text
	}
	t.rows = append(t.rows, row)
}

// flush writes the table.
func (t *table) flush() error {
	l := t.layout()
	heads := make([]string, len(t.columns))
	for i, c := range t.columns {
		heads[i] = c.name
	}
	var b strings.Builder
	if strings.Join(heads, "") != "" {
		t.write(&b, l, heads, nil)
	}
	for n, row := range t.rows {
		if l.above && (n == 0 || row[0] != t.rows[n-1][0]) {
			b.WriteString(row[0] + "\n")
		}
		t.write(&b, l, row, l.below[n])
	}
	w := t.w
	if o, ok := w.(*Out); ok && t.screen.Colour {
		w = o.With(Manners{Colours: true}) // cells are escaped
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// write writes a row, then its cells that stand below it; below is nil for the heads.
func (t *table) write(b *strings.Builder, l layout, row []string, below []bool) {
	cells, height := t.wrapped(l, row, below)
	for n := range height {
		gap := l.indent()
		for i, w := range l.widths {
			if w == 0 {
				continue
			}
			if n < len(cells[i]) && cells[i][n] != "" {
				b.WriteString(strings.Repeat(" ", gap) + t.coloured(i, cells[i][n], below != nil))
				gap = -Width(cells[i][n])
			}
			gap += w + gapWidth
		}
		b.WriteString("\n")
	}
	for i := range below {
		if below[i] && row[i] != "-" && row[i] != "" {
			t.writeBelow(b, t.columns[i], row[i], l.indent()+gapWidth)
		}
	}
}

// wrapped are the lines of each cell that stands in its row, and how many lines the longest has.
func (t *table) wrapped(l layout, row []string, below []bool) (cells [][]string, height int) {
	cells, height = make([][]string, len(row)), 1
	for i, c := range t.columns {
		switch {
		case l.widths[i] == 0 || below != nil && below[i]:
		case c.breaks && Width(row[i]) > l.widths[i]:
			cells[i] = wrap(row[i], l.widths[i], c.behind, true)
		default:
			cells[i] = []string{row[i]}
		}
		height = max(height, len(cells[i]))
	}
	return cells, height
}

// writeBelow writes a cell below its row.
func (t *table) writeBelow(b *strings.Builder, c column, text string, indent int) {
	for n, line := range wrap(strings.ToLower(c.name)+": "+text, t.screen.Width-indent-gapWidth, c.behind, false) {
		if n == 1 {
			indent += gapWidth
		}
		b.WriteString(strings.Repeat(" ", indent) + line + "\n")
	}
}

func (t *table) coloured(column int, cell string, body bool) string {
	if !body || !t.columns[column].state || !t.screen.Colour {
		return cell
	}
	_, word, _ := strings.Cut(cell, " ") // behind the symbol
	return toneOf(word).coloured(cell)
}
