import Storage
import TestSupport
import Testing

@testable import Sharding

/// The table of accelerators, and model shapes.
@Suite struct PlannerDeviceTests {
  static let header = DeviceTable.columns.joined(separator: ",")

  private func table(_ lines: String...) throws -> DeviceTable {
    try DeviceTable(csv: Array(([Self.header] + lines).joined(separator: "\n").utf8), path: "own.csv")
  }

  @Test func `the embedded table knows the devices and peaks of the reference`() throws {
    let table = try DeviceTable.standard()
    let peaks: [(String, Double)] = [
      ("V100", 125), ("A100-40", 312), ("A100", 312), ("A800", 312), ("A40", 150), ("H100", 989),
      ("h100-sxm", 989),
      ("H100-PCIe", 756), ("H800", 989), ("H200", 989), ("H20", 148), ("L40S", 362), ("B200", 2250),
      ("MI300X", 1307), ("TPU-v5p", 459),
    ]
    for (name, peak) in peaks { #expect(try table.device(name).peakFlops == peak * 1e12, "\(name)") }
    for device in table.devices {
      #expect(device.mfu > 0.2 && device.mfu < 0.6, "\(device.name)")
      #expect(!device.source.isEmpty && (device.price == nil) == device.priceDate.isEmpty, "\(device.name)")
    }
  }

  @Test func `an unknown device is refused with the list`() throws {
    do {
      _ = try DeviceTable.standard().device("H9000")
      Issue.record("H9000 was found")
    } catch {
      #expect(error.exitCode == 2)
      for name in ["H9000", "V100", "A100-80", "H100-PCIe", "TPU-v6e", "--devices"] {
        #expect(error.message.contains(name))
      }
    }
  }

  @Test func `a table of one's own may leave power and price out`() throws {
    let device = try table("# mine", "X1,,100,10,,0.5,4,50,10,,,,lab").device("x1")
    #expect(device.boardWatts == nil && device.price == nil && device.perNode == 4)
    #expect(device.memoryBytes == 1e10 && device.networkBytesPerSecond == 1e10)
  }

  @Test(arguments: [
    "X1,,0,10,,0.5,4,50,10,,,,lab", "X1,,100,10,,1.5,4,50,10,,,,lab", "X1,,100,10,,0.5,0,50,10,,,,lab",
    "X1,,100,10,,0.5,4,50,10,2,1,2026-05,lab", "X1,,100,10,,0.5,4,50,10,1,2,,lab", "X1,,100,10,,0.5,4,50,10",
    ",,100,10,,0.5,4,50,10,,,,lab", "X1,x1,100,10,,0.5,4,50,10,,,,lab", "X1,,nan,10,,0.5,4,50,10,,,,lab",
  ])
  func `a wrong line is refused with its file`(line: String) {
    do {
      _ = try table(line)
      Issue.record("\(line) was read")
    } catch { #expect("\(error)".contains("own.csv")) }
  }

  @Test func `damaged tables never trap`() throws {
    let text = Array(
      "\(Self.header)\nX1,a b,100,10,300,0.5,4,50,10,1,2,2026-05,lab\nX2,,1,1,,0.1,1,1,1,,,,s\n".utf8)
    var random = SeededRandom(seed: 11)
    for _ in 0..<2000 {
      var bytes = text
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert(UInt8(ascii: ","), at: place)
        }
      }
      if let table = try? DeviceTable(csv: bytes, path: "own.csv") {
        #expect(table.devices.allSatisfy { $0.peakFlops.isFinite && $0.peakFlops > 0 })
      }
    }
  }

  @Test func `known models have their published parameters`() throws {
    let gpt3 = try ModelShape(layers: 96, hidden: 12_288, heads: 96, vocabulary: 50_257)
    #expect(abs(gpt3.parameters / 174.6e9 - 1) < 1e-3)
    let gpt2 = try ModelShape(layers: 12, hidden: 768, heads: 12, vocabulary: 50_257)
    #expect(abs(gpt2.parameters / 124e6 - 1) < 0.01)
    let llama = try ModelShape(
      layers: 32, hidden: 4096, heads: 32, ffn: 11_008, isGated: true, vocabulary: 32_000, isUntied: true)
    #expect(abs(llama.parameters / 6.738e9 - 1) < 1e-3)
    let grouped = try ModelShape(
      layers: 80, hidden: 8192, heads: 64, keyValueHeads: 8, ffn: 28_672, isGated: true, vocabulary: 128_256,
      isUntied: true)
    #expect(abs(grouped.parameters / 70.55e9 - 1) < 1e-3)
  }

  @Test func `an assumed shape has about the parameters it is for`() throws {
    let gpt3 = try ModelShape.typical(parameters: 174.6e9, vocabulary: 1)
    #expect(gpt3.layers == 96 && gpt3.hidden == 12_288 && gpt3.heads == 96)
    for parameters in [1e3, 1e8, 1e9, 7e9, 70e9, 1e12, 1e16] {
      let shape = try ModelShape.typical(parameters: parameters, vocabulary: 1)
      if parameters >= 1e8 { #expect(abs(shape.parameters / parameters - 1) < 0.1, "\(parameters)") }
    }
  }

  @Test func `impossible shapes are refused by option`() {
    let wrong: [(String, () throws -> ModelShape)] = [
      ("--layers", { try ModelShape(layers: 0, hidden: 128, heads: 1, vocabulary: 10) }),
      ("--hidden", { try ModelShape(layers: 1, hidden: .max, heads: 1, vocabulary: 10) }),
      ("--heads", { try ModelShape(layers: 1, hidden: 130, heads: 4, vocabulary: 10) }),
      ("--kv-heads", { try ModelShape(layers: 1, hidden: 128, heads: 4, keyValueHeads: 3, vocabulary: 10) }),
    ]
    for (option, make) in wrong {
      do {
        _ = try make()
        Issue.record("\(option) was taken")
      } catch { #expect("\(error)".contains(option)) }
    }
  }
}
