import Glibc
import TestSupport
import Testing

/// A run that dies at any moment can be resumed, and nobody sees afterwards that it died.
///
/// The dump is the small crawl ten times over; `SLUICE_DEMO` names a larger one (make demo leaves it in .cache/demo/crawl).
@Suite(.serialized) struct KillTests {
  static let kills = 20

  /// A dump, and the arguments of the run over it.
  private struct Subject {
    let folder: TemporaryFolder
    let dump: String
    let pipeline: String
    let binary: String

    init?() throws {
      guard let binary = Sluice.binary else { return nil }
      self.binary = binary
      folder = try TemporaryFolder()
      if let demo = environment("SLUICE_DEMO") {
        dump = demo
        pipeline = packageRoot + "/pipelines/web.yaml"
        return
      }
      dump = folder("dump")
      pipeline = packageRoot + "/pipelines/small.yaml"
      for copy in 0..<10 {
        for name in try filesBelow(packageRoot + "/fixtures/crawl") {
          try writeFile("\(dump)/\(copy)/\(name)", try readFile("\(packageRoot)/fixtures/crawl/\(name)"))
        }
      }
    }

    func arguments(_ out: String) -> [String] {
      [
        "run", pipeline, "--input", dump, "-o", folder(out), "--gpus", "8", "--workers", "2", "--unit-bytes",
        "4MiB",
        "--resume", "--progress", "none",
      ]
    }

    func start(_ out: String) throws -> RunningProcess {
      try RunningProcess(binary, arguments(out), stderr: .file(folder("\(out).log")))
    }

    /// What the last process of an output folder said.
    func log(_ out: String) -> String { (try? readText(folder("\(out).log"))) ?? "" }

    func tree(_ out: String) throws -> [String: [UInt8]] { try outputTree(folder(out)) }

    /// The stage that was under way: the last one that has a folder.
    func stage(_ out: String) -> String {
      let order = ["extract", "filter", "dedup", "tokenizer", "store", "view"]
      return order.last { exists(folder("\(out)/\($0)")) } ?? "start"
    }
  }

  @Test func `a run killed at random moments and resumed gives the same bytes`() throws {
    guard let subject = try Subject() else { return }
    let began = monotonicSeconds()
    let whole = try subject.start("whole").wait(timeout: 600)
    let seconds = monotonicSeconds() - began
    try #require(whole.exit == 0, "\(subject.log("whole"))")
    let expected = try subject.tree("whole")

    var random = SeededRandom(seed: 5)
    var cpu = 0.0
    var killedIn: [String: Int] = [:]
    for _ in 0..<KillTests.kills {
      let process = try subject.start("killed")
      // Twenty tries of a twentieth each, half as long at least and twice as long at most: they reach every stage.
      usleep(
        UInt32(seconds * Double.random(in: 0.5...2, using: &random) / Double(KillTests.kills) * 1_000_000))
      process.send(SIGKILL)
      let result = process.wait()
      cpu += result.cpuSeconds
      if result.exit == 0 { break }
      killedIn[subject.stage("killed"), default: 0] += 1
    }
    let last = try subject.start("killed").wait(timeout: 600)
    cpu += last.cpuSeconds
    #expect(last.exit == 0, "\(subject.log("killed"))")
    let places = killedIn.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    print("killed in: \(places); processor seconds \(cpu) of all tries, \(whole.cpuSeconds) of one run")

    let resumed = try subject.tree("killed")
    #expect(resumed.keys.sorted() == expected.keys.sorted())
    for (path, bytes) in expected { #expect(resumed[path] == bytes, "\(path) differs") }
    let leftovers = try filesBelow(subject.folder("killed")).filter { $0.contains(".tmp") }
    #expect(leftovers.isEmpty, "\(leftovers)")
    // On a dump of a second, twenty starts cost as much as the work.
    if environment("SLUICE_DEMO") != nil {
      #expect(cpu <= 2 * whole.cpuSeconds, "\(cpu) of \(whole.cpuSeconds)")
    }
  }

  @Test func `a finished run that is resumed does nothing again`() throws {
    guard let subject = try Subject() else { return }
    let first = try subject.start("out").wait(timeout: 600)
    try #require(first.exit == 0)
    let before = try subject.tree("out")
    let again = try subject.start("out").wait(timeout: 600)
    #expect(again.exit == 0)
    #expect(try subject.tree("out") == before)
    #expect(again.cpuSeconds < max(0.3, first.cpuSeconds / 2), "\(again.cpuSeconds) of \(first.cpuSeconds)")
  }

  @Test func `an interrupted run ends within two seconds, and says that it can go on`() throws {
    guard let subject = try Subject() else { return }
    let began = monotonicSeconds()
    try #require(try subject.start("whole").wait(timeout: 600).exit == 0)
    let seconds = monotonicSeconds() - began
    for (round, share) in [0.2, 0.5, 0.8].enumerated() {
      let process = try subject.start("stopped\(round)")
      usleep(UInt32(seconds * share * 1_000_000))
      process.send(SIGTERM)
      let sent = monotonicSeconds()
      let result = process.wait()
      #expect(monotonicSeconds() - sent < 2)
      // A fast machine may have been done before.
      #expect([0, 5].contains(result.exit), "exit \(result.exit)")
      if result.exit == 5 {
        #expect(try readText(subject.folder("stopped\(round).log")).contains("--resume"))
        #expect(try subject.start("stopped\(round)").wait(timeout: 600).exit == 0)
      }
      #expect(try subject.tree("stopped\(round)") == subject.tree("whole"))
    }
  }

  @Test func `killing any process of a chain never publishes a cut input`() throws {
    guard let subject = try Subject() else { return }
    let programs = ["extract", "filter", "dedup"]
    for (round, victim) in (programs + programs).enumerated() {
      let out = subject.folder("chain\(round)")
      // The victim is killed by its pid, which its stage writes before it becomes the program.
      let stages = programs.map { name in
        let arguments =
          switch name {
          case "extract": "extract \(subject.dump)"
          case "filter": "filter --recipe web"
          default: "dedup -o \(out)"
          }
        return "sh -c 'echo $$ > \(out).\(name); exec \(subject.binary) \(arguments) --quiet'"
      }
      let delay = round < 3 ? "0.02" : "0.15"
      let killer = "(sleep \(delay); kill -9 $(cat \(out).\(victim)) 2>/dev/null) & "
      let result = try shell(killer + stages.joined(separator: " | ") + "; code=$?; wait; exit $code")
      if result.exit != 0 { #expect(!exists(out + "/manifest.json"), "\(victim) was killed") }
      if exists(out + "/manifest.json") { #expect(result.exit == 0) }
    }
  }
}
