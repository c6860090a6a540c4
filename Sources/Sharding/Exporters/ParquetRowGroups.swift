/// Where the row groups of a file end: so that `count` groups have as equal numbers of tokens as whole rows allow.
///
/// A group ends at the row border nearest to its fair share of the tokens that are left, so that what one long row takes is spread
/// over all groups behind it; each group has a row. Decided row by row, without a list of lengths.
struct ParquetRowGroups: Equatable {
  private var rowsLeft: Int
  private var tokensLeft: Int
  private var groupsLeft: Int
  private var rowsInGroup = 0
  private var tokensInGroup = 0

  /// - Parameters:
  ///   - rows: what the file will hold.
  ///   - tokens: of all rows.
  ///   - count: groups asked for; there are never more than rows.
  init(rows: Int, tokens: Int, count: Int) {
    rowsLeft = rows
    tokensLeft = tokens
    groupsLeft = max(1, min(count, rows))
  }

  /// Adds a row of `length` tokens. Is it the first of a new group?
  mutating func startsGroup(withRowOf length: Int) -> Bool {
    let starts = rowsInGroup > 0 && groupsLeft > 1 && isBorder(beforeRowOf: length)
    if starts {
      groupsLeft -= 1
      tokensLeft -= tokensInGroup
      rowsInGroup = 0
      tokensInGroup = 0
    }
    rowsLeft -= 1
    rowsInGroup += 1
    tokensInGroup += length
    return starts
  }

  private func isBorder(beforeRowOf length: Int) -> Bool {
    // Every later group needs a row, and `rowsLeft` counts the one before us.
    if rowsLeft < groupsLeft { return true }
    let share = tokensLeft / groupsLeft
    return tokensInGroup >= share || share - tokensInGroup < tokensInGroup + length - share
  }
}
