import Bytes
import TestSupport
import Testing

/// `sluice plan` as a program.
@Suite struct PlanTests {
  private static func plan(_ arguments: String, _ binary: String) throws -> RunResult {
    try run(binary, ["plan"] + arguments.split(separator: " ").map(String.init))
  }

  @Test func `figures on the screen are those of the JSON`() throws {
    guard let binary = Sluice.binary else { return }
    let arguments =
      "--parameters 175B --tokens 300B --gpu H100 --gpus 1024 --tensor-parallel 8 --pipeline-parallel 8 "
      + "--virtual-stages 6 --sequence 2048 --global-batch 1536 --mfu 47.5% --network 400Gbit/s --price 2"
    let text = try Self.plan(arguments, binary)
    let machine = try Self.plan(arguments + " --json", binary)
    #expect(text.exit == 0 && machine.exit == 0 && text.stderr.isEmpty && machine.stderr.isEmpty)
    let json = try JSONValue.parse(machine.stdout)
    #expect(json["run"]?["pf_days"]?.double == 3645.8333333333335)
    // The golden's hybrid case of 1,024 GPUs.
    let mfu = try #require(json["cluster"]?["mfu"]?.double)
    let days = try #require(json["cost"]?["days"]?.double)
    #expect(abs(mfu - 0.4665) < 2e-4 && abs(days - 7.72) < 0.01)
    for part in ["3,646 PF-days", "46.7 %", "7.72 days", "3.15e23 FLOP", "50 GB/s per GPU", "knee", "given"] {
      #expect(text.output.contains(part), "\(part)")
    }
    #expect(json["knee"]?["gpus"]?.int == 8192 && json["memory"]?["verdict"]?.string == "fits")
  }

  @Test func `a store brings its tokens, documents and width`() throws {
    guard let binary = Sluice.binary, let folder = try Workbench.copy() else { return }
    let result = try Self.plan(
      "--parameters 124M --store \(folder("store")) --gpu A100-40 --gpus 8 --json", binary)
    #expect(result.exit == 0, "\(result.stderr)")
    let json = try JSONValue.parse(result.stdout)
    let manifest = try JSONValue.parse(try readFile(folder("store/manifest.json")))
    let train = try #require(
      manifest["splits"]?.array?.first { $0["name"]?.string == "train" } ?? manifest["splits"]?["train"])
    #expect(json["run"]?["tokens"]?.int == train["tokens"]?.int)
    #expect(json["data"]?["documents"]?.int == train["documents"]?.int)
    #expect(json["data"]?["bytes_per_token"]?.int == 2)
  }

  @Test func `what is missing or wrong is a usage error that says what to do`() throws {
    guard let binary = Sluice.binary else { return }
    let size = "--parameters 7B --tokens 300B"
    let wrong: [(String, String)] = [
      ("--tokens 300B --gpu H100 --gpus 8", "--parameters"),
      ("--parameters 7B --gpu H100 --gpus 8", "--store"),
      ("\(size) --gpus 8", "H100-PCIe"), ("\(size) --gpu H9000 --gpus 8", "TPU-v5p"),
      ("\(size) --gpu H100", "--budget"), ("\(size) --gpu H100 --gpus 0", "--gpus"),
      ("\(size) --gpu H100 --gpus 99999999999", "--gpus"),
      ("\(size) --gpu H100 --gpus 8 --mfu 142%", "--mfu"),
      ("\(size) --gpu H100 --gpus 8 --network 50", "50GB/s"),
      ("\(size) --gpu H100 --gpus 8 --recompute some", "selective"),
      ("\(size) --gpu H100 --gpus 8 --price cheap", "--price"),
      ("\(size) --gpu H100 --gpus 8 --layers 4", "--hidden"),
      ("\(size) --gpu H100 --gpus 8 --layers 4 --hidden 512", "--vocab"),
      ("\(size) --gpu H100 --gpus 12 --tensor-parallel 8", "--tensor-parallel"),
      ("\(size) --gpu H100 --gpus 8 --global-batch 12", "Nearest: 8, 16"),
      ("\(size) --gpu H100 --gpus 8 --global-batch 16 --global-batch-tokens 1M", "exclude"),
      ("--parameters x --tokens 300B --gpu H100 --gpus 8", "7B"),
    ]
    for (arguments, part) in wrong {
      let result = try Self.plan(arguments, binary)
      #expect(result.exit == 2 && result.stdout.isEmpty, "\(arguments): exit \(result.exit)")
      #expect(result.stderr.contains(part), "\(arguments): \(result.stderr)")
    }
    #expect(try Self.plan("\(size) --gpu H100 --gpus 8 --devices nowhere.csv", binary).exit == 3)
  }

  @Test func `every kind of plan runs, from one GPU to the largest cluster`() throws {
    guard let binary = Sluice.binary else { return }
    for arguments in [
      "--parameters 1K --tokens 1 --gpu V100 --gpus 1",
      "--parameters 1000T --tokens 1000T --gpu B200 --gpus 16777216",
      "--parameters 7B --tokens 300B --gpu TPU-v5p --days 30 --epochs 6",
      "--parameters 70B --tokens 2T --gpu H200 --days 60 --context-parallel 4 --sequence 131072 --global-batch-tokens 64M --recompute full",
      "--parameters 7B --tokens 300B --gpu H100 --budget 1M --days 30 --overlap 0",
      "--parameters 7B --tokens 300B --gpu H100 --gpus 8 --overlap 100% --no-distributed-optimizer",
    ] {
      for format in ["", " --json"] {
        let result = try Self.plan(arguments + format, binary)
        #expect(result.exit == 0 && result.stderr.isEmpty, "\(arguments): \(result.stderr)")
        #expect(!result.output.contains("nan") && !result.output.contains("inf "), "\(arguments)")
      }
    }
  }

  @Test func `the articles' claims are shown beside our figures`() throws {
    guard let binary = Sluice.binary else { return }
    let text = try Self.plan("--articles", binary)
    #expect(text.exit == 0 && text.output.contains("1,000 × too low") && text.output.contains("PF-days"))
    let json = try JSONValue.parse(try Self.plan("--articles --json", binary).stdout)
    #expect((json["claims"]?.array?.count ?? 0) >= 25)
  }
}
