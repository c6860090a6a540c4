import Documents
import Storage
import Synchronization

/// Says on standard error how a run goes: rate, time left, memory, drops. A line that rewrites itself on a terminal, otherwise
/// one plain line every ten seconds.
public final class Progress: Sendable {
  private let label: String
  private let total: Int64?
  /// Encoded bytes of the inputs before each one, by name.
  private let before: [String: Int64]
  private let isTerminal: Bool
  private let isSilent: Bool
  private let started = Process.monotonicSeconds
  private let state = Mutex((documentsOut: 0, drops: 0, shown: 0.0, isShown: false, start: Int64(-1)))

  public init(_ label: String, plan: UnitPlan, options: RunOptions) {
    self.label = label
    total = plan.totalBytes
    var before: [String: Int64] = [:]
    var sum: Int64 = 0
    for input in plan.inputs {
      before[input.name] = sum
      sum += input.size ?? 0
    }
    self.before = before
    isTerminal = options.progress == .auto && StandardStreams.errorIsTerminal
    isSilent = options.isQuiet || options.progress == .none
  }

  /// Adds what one chunk brought.
  ///
  /// - Parameter offset: encoded offset of the chunk's last record in its input.
  public func add(_ unit: Unit, offset: Int64, ledger: Ledger) {
    guard !isSilent else { return }
    state.withLock { state in
      state.documentsOut += ledger.documentsOut
      state.drops += ledger.droppedCount
      let done = (before[unit.input.name] ?? 0) + offset
      if state.start < 0 { state.start = done }
      let now = Process.monotonicSeconds - started
      guard now - state.shown >= (isTerminal ? 0.5 : 10) else { return }
      state.shown = now
      state.isShown = true
      let rate = Double(done - state.start) / max(now, 0.001)
      var line = "\(label): "
      if let total, total > 0 {
        line +=
          "\(Format.bytes(Int(done))) of \(Format.bytes(Int(total))) (\(min(100, Int(done * 100 / total))) %)"
        let left = Double(max(0, total - done)) / max(rate, 1)
        line += ", \(Format.bytes(Int(rate)))/s, \(Format.seconds(left)) left, "
      }
      line += "\(Format.count(state.documentsOut)) documents, \(Format.count(state.drops)) dropped"
      line += ", \(Format.bytes(Process.peakMemory)) peak"
      StandardStreams.message(isTerminal ? "\r\u{1B}[K\(line)" : line + "\n")
    }
  }

  /// Clears the line of a terminal.
  public func end() {
    if isTerminal, state.withLock({ $0.isShown }) { StandardStreams.message("\r\u{1B}[K") }
  }
}

/// Numbers for people; locale-free.
public enum Format {
  /// `1,234,567`.
  public static func count(_ value: Int) -> String {
    var digits = Array("\(value.magnitude)")
    var position = digits.count - 3
    while position > 0 {
      digits.insert(",", at: position)
      position -= 3
    }
    return (value < 0 ? "-" : "") + String(digits)
  }

  /// Decimal units: `12.3 MB`.
  public static func bytes(_ value: Int) -> String {
    var amount = Double(value)
    for unit in ["B", "kB", "MB", "GB", "TB"] {
      if amount < 1000 || unit == "TB" { return unit == "B" ? "\(value) B" : "\(fixed(amount, 1)) \(unit)" }
      amount /= 1000
    }
    return "\(value) B"
  }

  public static func seconds(_ value: Double) -> String {
    if value < 10 { return "\(fixed(value, 1)) s" }
    let whole = Int(value)
    if whole < 120 { return "\(whole) s" }
    return whole < 7200 ? "\(whole / 60) min" : "\(whole / 3600) h \(whole / 60 % 60) min"
  }

  public static func percent(_ part: Int, of whole: Int) -> String {
    whole == 0 ? "-" : "\(fixed(Double(part) * 100 / Double(whole), 1)) %"
  }

  /// `digits` decimals, rounded half away from zero.
  public static func fixed(_ value: Double, _ digits: Int) -> String {
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
    let scaled = Int((abs(value) * Double(scale)).rounded())
    let sign = value < 0 && scaled > 0 ? "-" : ""
    if digits == 0 { return sign + "\(scaled)" }
    return sign + "\(scaled / scale)." + Path.padded(scaled % scale, digits: digits)
  }

  /// Columns aligned: the first to the left, the others to the right.
  public static func table(_ rows: [[String]], header: [String]) -> String {
    let all = [header] + rows
    let columns = header.count
    let widths = (0..<columns).map { column in
      all.map { column < $0.count ? width($0[column]) : 0 }.max() ?? 0
    }
    func line(_ row: [String]) -> String {
      var text = ""
      for column in 0..<columns {
        let cell = column < row.count ? row[column] : ""
        let space = String(repeating: " ", count: max(0, widths[column] - width(cell)))
        text += column == 0 ? cell + space : "  " + space + cell
      }
      while text.hasSuffix(" ") { text.removeLast() }
      return text + "\n"
    }
    let rule =
      widths.enumerated().map { String(repeating: "-", count: $1 + ($0 == 0 ? 0 : 2)) }.joined() + "\n"
    return line(header) + rule + rows.map(line).joined()
  }

  private static func width(_ text: String) -> Int { text.unicodeScalars.count }
}
