import Bytes
import Storage

/// The smallest piece of work that is done or not done: an input file, or a byte range of a large one, or of standard input.
///
/// Units are numbered in the order of the inputs and never depend on how many workers there are.
public struct Unit: Equatable, Sendable {
  public var index: Int
  public var input: InputFile
  /// Nominal range of encoded bytes: the unit owns what starts in it. The real start is where the unit before ended.
  public var from: Int64
  public var to: Int64?
  /// True for the first unit of its file.
  public var isFirstOfFile: Bool { from == 0 }
}

/// The units of a run.
public struct UnitPlan: Sendable {
  public static let defaultUnitBytes: Int64 = 256 << 20

  public var inputs: [InputFile]
  public var units: [Unit]
  public var unitBytes: Int64
  /// Standard input has one nominal unit; a new one begins behind every `unitBytes` decoded bytes.
  public var isStream: Bool { inputs.first?.path == "-" }
  /// Encoded bytes of all inputs, nil for standard input.
  public var totalBytes: Int64? { isStream ? nil : inputs.reduce(0) { $0 + ($1.size ?? 0) } }

  /// - Parameter canSplit: whether units of this file may start inside it.
  public init(_ inputs: [InputFile], unitBytes: Int64 = defaultUnitBytes, canSplit: (InputFile) -> Bool) {
    self.inputs = inputs
    self.unitBytes = unitBytes
    units = []
    for input in inputs {
      guard let size = input.size, size > unitBytes, canSplit(input) else {
        units.append(Unit(index: units.count, input: input, from: 0, to: nil))
        continue
      }
      var from: Int64 = 0
      while from < size {
        let to = from + unitBytes
        units.append(Unit(index: units.count, input: input, from: from, to: to >= size ? nil : to))
        from = to
      }
    }
  }

  /// Digits of part names: five, more when the plan has more units.
  public var nameDigits: Int { max(5, "\(max(0, units.count - 1))".count) }

  public func partName(_ unit: Int, suffix: String = "jsonl.zst") -> String {
    "part-\(Path.padded(unit, digits: nameDigits)).\(suffix)"
  }
}
