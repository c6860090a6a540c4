import ArgumentParser
import Pipeline
import Storage

/// The root command. A new command is one file and one line in `subcommands`, sorted by their order in the pipeline.
struct Sluice: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sluice",
    abstract: "Turn raw web dumps into token shards that a GPU cluster can train on.",
    discussion: """
      Stages read and write folders or JSON lines, so they run one by one, as a
      shell chain, or as one pipeline:
        sluice run pipelines/web.yaml --input 'crawl/*.warc.gz' -o corpus --gpus 8
        sluice extract crawl/*.warc.gz | sluice filter --recipe web |
          sluice dedup -o clean

      Exit codes: 0 done; 1 done, with more defects than --max-defects; 2 usage;
      3 input; 4 output or space; 5 interrupted, resumable with --resume; 70 a bug
      of ours. A closed pipe (| head) is a quiet success.
      """,
    version: Version.number,
    subcommands: [
      RunCommand.self, ExtractCommand.self, FilterCommand.self, DedupCommand.self, TrainCommand.self,
      TokenizeCommand.self, EncodeCommand.self, DecodeCommand.self, ShardCommand.self, ExportCommand.self,
      InspectCommand.self, VerifyCommand.self, PlanCommand.self,
      WhyCommand.self, SampleCommand.self, ReportCommand.self,
    ])
}

/// Parses the arguments, runs the command and ends the process with the documented exit code.
public enum SluiceMain {
  public static func start(_ arguments: [String]) -> Never {
    Interruption.install()
    Process.exit(run(arguments))
  }

  private static func run(_ arguments: [String]) -> Int32 {
    var command: any ParsableCommand
    do {
      command = try Sluice.parseAsRoot(arguments)
    } catch {
      return end(error)
    }
    do {
      try command.run()
      return 0
    } catch let error as StorageError {
      if error == .closedPipe { return 0 }
      StandardStreams.message("sluice: \(error.message)\n")
      return error.exitCode
    } catch let error as StageExit {
      StandardStreams.message("sluice: \(error.message)\n")
      return error.code
    } catch {
      return end(error)
    }
  }

  /// Help and version go to standard output with 0; wrong usage to standard error with 2.
  private static func end(_ error: any Error) -> Int32 {
    let text = Sluice.fullMessage(for: error)
    if Sluice.exitCode(for: error) == .success {
      do throws(StorageError) { try StandardStreams.write(text + (text.hasSuffix("\n") ? "" : "\n")) } catch {
        return error.exitCode
      }
      return 0
    }
    let line = text.hasPrefix("Error: ") ? "sluice: " + text.dropFirst(7) : text
    StandardStreams.message(line.hasSuffix("\n") ? line : line + "\n")
    return 2
  }
}

/// A command that did its work, and whose result is still not good: for instance too many defects.
struct StageExit: Error {
  var code: Int32
  var message: String
}
