import Bytes
import CEmbedded
import Storage

/// An accelerator: what a data sheet says, and what we assume of it. Rates in FLOP/s and bytes per second.
public struct Device: Equatable, Sendable {
  public var name: String
  public var aliases: [String]
  /// Dense 16-bit peak, without sparsity.
  public var peakFlops: Double
  public var memoryBytes: Double
  /// Nil where the maker does not publish it.
  public var boardWatts: Double?
  /// Assumed share of the peak, before bubbles and exposed all-reduce.
  public var mfu: Double
  /// Devices that the fast link joins.
  public var perNode: Int
  /// Per direction.
  public var linkBytesPerSecond: Double
  /// Assumed, per direction.
  public var networkBytesPerSecond: Double
  /// US dollars per device and hour; nil where nothing public is known.
  public var price: ClosedRange<Double>?
  /// Year and month of the price.
  public var priceDate: String
  public var source: String
}

/// The accelerators that the planner knows: one dated data file, embedded, or a file of the user's in the same form.
///
/// Shape: comma-separated, no quoting; lines that begin with `#` are comments, the first other line names the columns.
/// Aliases stand in one column, with blanks between them.
public struct DeviceTable: Sendable {
  public let devices: [Device]

  static let columns = [
    "name", "aliases", "peak_tflops", "memory_gb", "power_w", "mfu", "devices_per_node", "link_gbps",
    "network_gbps", "price_low", "price_high", "price_date", "source",
  ]

  /// The embedded table.
  public static func standard() throws(StorageError) -> DeviceTable {
    // SAFETY: the embedded bytes are a constant of the program.
    let bytes = UnsafeBufferPointer(
      start: sluice_planner_devices_bytes(), count: sluice_planner_devices_size)
    return try DeviceTable(csv: Array(bytes), path: "planner-devices.csv")
  }

  /// Reads a table.
  ///
  /// - Throws: `.input` with the line for a wrong column, number or a name that stands twice.
  public init(csv: [UInt8], path: String) throws(StorageError) {
    var devices: [Device] = []
    var hasHeader = false
    for (index, raw) in csv.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
      let line = raw.last == 13 ? raw.dropLast() : raw
      if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
      let fields = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map {
        String(decoding: $0, as: UTF8.self)
      }
      if !hasHeader {
        guard fields == Self.columns else {
          throw .input(
            path: path,
            reason: "line \(index + 1): the columns must be \(Self.columns.joined(separator: ","))")
        }
        hasHeader = true
        continue
      }
      guard fields.count == Self.columns.count, let device = Self.device(fields) else {
        throw .input(
          path: path,
          reason: "line \(index + 1): \(Self.columns.count) fields with positive numbers are needed")
      }
      devices.append(device)
    }
    self.devices = devices
    var seen: Set<String> = []
    for name in devices.flatMap({ [$0.name] + $0.aliases }) where !seen.insert(name.lowercased()).inserted {
      throw .input(path: path, reason: "“\(name)” stands twice")
    }
    guard !devices.isEmpty else { throw .input(path: path, reason: "no device in it") }
  }

  private static func device(_ fields: [String]) -> Device? {
    func number(_ column: Int) -> Double? {
      guard let value = Double(fields[column]), value.isFinite, value > 0, value < 1e9 else { return nil }
      return value
    }
    guard !fields[0].isEmpty, let peak = number(2), let memory = number(3), let mfu = number(5), mfu <= 1,
      let perNode = Int(fields[6]), (1...65_536).contains(perNode), let link = number(7),
      let network = number(8)
    else { return nil }
    var watts: Double?
    if !fields[4].isEmpty {
      guard let value = number(4) else { return nil }
      watts = value
    }
    var price: ClosedRange<Double>?
    if !fields[9].isEmpty || !fields[10].isEmpty {
      guard let low = number(9), let high = number(10), low <= high, !fields[11].isEmpty else { return nil }
      price = low...high
    }
    return Device(
      name: fields[0], aliases: fields[1].split(separator: " ").map(String.init), peakFlops: peak * 1e12,
      memoryBytes: memory * 1e9, boardWatts: watts, mfu: mfu, perNode: perNode,
      linkBytesPerSecond: link * 1e9, networkBytesPerSecond: network * 1e9, price: price,
      priceDate: fields[11], source: fields[12])
  }

  /// A device by its name or an alias, in any case.
  ///
  /// - Throws: `.usage` with the list of names.
  public func device(_ name: String) throws(StorageError) -> Device {
    let wanted = name.lowercased()
    for device in devices
    where ([device.name] + device.aliases).contains(where: { $0.lowercased() == wanted }) {
      return device
    }
    throw .usage(
      "--gpu: there is no “\(name)” in the table; there are \(devices.map(\.name).joined(separator: ", ")). "
        + "Others stand in a table of your own: --devices FILE.")
  }
}
