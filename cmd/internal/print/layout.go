package print

import "slices"

const (
	gapWidth    = 2  // between columns
	shortest    = 24 // a column is not made narrower than this unless all of its pieces are
	mostWrapped = 2  // lines of a cell in its column; what needs more stands below its row
)

// layout is how wide each column is, 0 for none, and which cells of each row stand below it.
type layout struct {
	widths []int
	below  [][]bool
	above  bool // the first column stands above its rows
	tight  bool // names are wrapped too
}

// indent is how far rows are indented.
func (l layout) indent() int {
	if l.above {
		return gapWidth
	}
	return 0
}

// layout fits the table into the screen as far as it can: long cells go below their rows first, then the first column
// goes above its rows, then names are wrapped.
func (t *table) layout() layout {
	l := layout{below: t.inRows()}
	for {
		natural, least := t.bounds(l)
		l.widths = fitted(natural, least, t.screen.Width-l.indent())
		switch {
		case t.screen.Width == 0:
			return l
		case slices.ContainsFunc(t.lastFirst(), func(i int) bool { return t.putBelow(l, i) }):
		case total(l.widths)+l.indent() <= t.screen.Width || l.tight:
			return l
		case t.columns[0].above && !l.above:
			l = layout{below: t.inRows(), above: true}
		default:
			l.tight = true
		}
	}
}

// inRows is that no cell stands below its row.
func (t *table) inRows() [][]bool {
	below := make([][]bool, len(t.rows))
	for n := range below {
		below[n] = make([]bool, len(t.columns))
	}
	return below
}

// lastFirst are the columns of which cells may stand below their rows.
func (t *table) lastFirst() (all []int) {
	for i, c := range slices.Backward(t.columns) {
		if c.below {
			all = append(all, i)
		}
	}
	return all
}

// putBelow takes cells out of a column and reports whether there were any: all of them where the row is too wide, else
// those that need too many lines.
func (t *table) putBelow(l layout, column int) (moved bool) {
	tooWide := total(l.widths)+l.indent() > t.screen.Width
	for n, row := range t.rows {
		if l.below[n][column] {
			continue
		}
		if tooWide || len(wrap(row[column], l.widths[column], t.columns[column].behind, true)) > mostWrapped {
			l.below[n][column], moved = true, true
		}
	}
	return moved
}

// bounds are the widths that the columns would like, and those below which they can't go. A column that has no cells
// left has none.
func (t *table) bounds(l layout) (natural, least []int) {
	natural, least = make([]int, len(t.columns)), make([]int, len(t.columns))
	for i, c := range t.columns {
		longest, empty := Width(c.name), len(t.rows) > 0
		natural[i] = longest
		for n, row := range t.rows {
			if l.below[n][i] {
				continue
			}
			empty = false
			natural[i] = max(natural[i], Width(row[i]))
			for _, piece := range pieces(row[i], c.behind) {
				longest = max(longest, Width(piece))
			}
		}
		least[i] = natural[i]
		if c.breaks && (c.below || l.tight) {
			least[i] = max(Width(c.name), min(longest, shortest))
		}
		if empty || c.above && l.above {
			natural[i], least[i] = 0, 0
		}
	}
	return natural, least
}

// total is the width of a row.
func total(widths []int) (sum int) {
	for _, w := range widths {
		if w > 0 {
			sum += w + gapWidth
		}
	}
	return max(0, sum-gapWidth)
}

// fitted returns widths that are natural where there is room. What is missing is taken from the widest that can give.
func fitted(natural, least []int, most int) []int {
	widths := slices.Clone(natural)
	for most > 0 && total(widths) > most {
		widest := -1
		for i, w := range widths {
			if w > least[i] && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	return widths
}
