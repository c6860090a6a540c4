import Storage
import TestSupport
import Testing

@testable import Sharding

/// The planner's formulas on numbers that can be checked by hand.
@Suite struct PlannerFormulaTests {
  private func isClose(_ a: Double, _ b: Double, _ tolerance: Double = 1e-9) -> Bool {
    abs(a - b) <= tolerance * max(abs(a), abs(b))
  }

  @Test func `a PF-day is 10^15 FLOP per second for a day`() {
    #expect(PlannerFormulas.pfDay == 1e15 * 86_400)
    // 6 · 10⁹ · 1.44·10¹⁰ = 8.64·10¹⁹.
    #expect(isClose(PlannerFormulas.pfDays(parameters: 1e9, tokens: 1.44e10), 1))
    #expect(
      isClose(PlannerFormulas.pfDays(parameters: 1e9, tokens: 1.44e10, flopsPerParameterToken: 8), 8.0 / 6))
    #expect(isClose(PlannerFormulas.daysAtRate(pfDays: 3, flopsPerSecond: 1e15), 3))
    #expect(isClose(PlannerFormulas.daysAtRate(pfDays: 3, flopsPerSecond: 1e12), 3000))
  }

  @Test func `time and rate are inverse to one another`() {
    let seconds = PlannerFormulas.trainTime(flops: 1e20, gpus: 10, flopsPerGPU: 1e14)
    #expect(isClose(seconds, 1e5))
    #expect(isClose(PlannerFormulas.impliedFlopsPerGPU(flops: 1e20, gpus: 10, seconds: seconds), 1e14))
    #expect(PlannerFormulas.speedRatio(gpusA: 8, monthsA: 6, gpusB: 4, monthsB: 3) == 4)
    #expect(PlannerFormulas.ratio(5, 2) == 2.5)
    #expect(PlannerFormulas.peakFlops(gpus: 8, flopsPerGPU: 2e12) == 1.6e13)
  }

  @Test func `the three ways to the best model agree`() {
    let best = PlannerFormulas.computeOptimal(parameters: 1e9)
    #expect(best.tokens == 2e10 && isClose(best.flops, 120 * 1e18))
    #expect(PlannerFormulas.computeOptimalParameters(tokens: best.tokens) == 1e9)
    #expect(isClose(PlannerFormulas.computeOptimalParameters(flops: best.flops), 1e9))
  }

  @Test func `growth and doubling are inverse to one another`() {
    #expect(PlannerFormulas.growthPerYear(doublingMonths: 12) == 2)
    #expect(PlannerFormulas.growthPerYear(doublingMonths: 6) == 4)
    #expect(isClose(PlannerFormulas.doublingFromGrowth(factor: 4, months: 12), 6))
  }

  @Test func `a ring sends twice the bytes whatever the ranks, and nothing on one`() {
    #expect(PlannerFormulas.ringAllReduce(ranks: 1, bytes: 100, bytesPerSecond: 10).seconds == 0)
    #expect(PlannerFormulas.ringAllReduce(ranks: 2, bytes: 100, bytesPerSecond: 10).bytesSentPerRank == 100)
    let many = PlannerFormulas.ringAllReduce(ranks: 1e6, bytes: 100, bytesPerSecond: 10)
    #expect(isClose(many.bytesSentPerRank, 200, 1e-5) && isClose(many.seconds, 20, 1e-5))
  }

  @Test(arguments: [(1.0, 25e9), (8, 25e9), (40, 5e9)])
  func `GPUs, bandwidth and efficiency invert one another`(modelParallel: Double, bandwidth: Double) {
    let gpus = PlannerFormulas.gpusAtEfficiency(
      0.8, modelParallel: modelParallel, flopsPerGPU: 1.4e14, bytesPerSecond: bandwidth, tokensPerStep: 3.2e6,
      overlap: 0.5)
    let found = PlannerFormulas.dataParallelEfficiency(
      gpus: gpus, modelParallel: modelParallel, flopsPerGPU: 1.4e14, bytesPerSecond: bandwidth,
      tokensPerStep: 3.2e6, overlap: 0.5)
    #expect(isClose(found.efficiency, 0.8) && isClose(found.communicationOverCompute, 0.25))
    #expect(isClose(found.speedup, 0.8 * gpus))
    let needed = PlannerFormulas.bandwidthForEfficiency(
      0.8, gpus: gpus, modelParallel: modelParallel, flopsPerGPU: 1.4e14, tokensPerStep: 3.2e6, overlap: 0.5)
    #expect(isClose(needed, bandwidth))
  }

  static func inputs(
    gpus: Double, pipeline: Double = 1, context: Double = 1, virtualStages: Double = 1, overlap: Double = 0
  ) -> PlannerFormulas.HybridInputs {
    PlannerFormulas.HybridInputs(
      gpus: gpus, globalBatch: 64, sequenceTokens: 1000, pipeline: pipeline, context: context,
      virtualStages: virtualStages, baseMFU: 0.5, bytesPerSecond: 1e10, overlap: overlap, peakFlops: 2e14,
      parameters: 1e9, tokens: 64e6)
  }

  @Test func `a step on one GPU is compute and nothing else`() {
    let step = PlannerFormulas.hybridStep(Self.inputs(gpus: 1))
    // 6 · 10⁹ · 64,000 FLOP at 10¹⁴.
    #expect(isClose(step.stepSeconds, 3.84) && isClose(step.mfu, 0.5))
    #expect(step.bubbleFraction == 0 && step.exposedSeconds == 0 && step.microBatches == 64)
    #expect(isClose(step.days, 3840 / 86_400) && isClose(step.gpuHours, 3840.0 / 3600))
  }

  @Test func `stages wait, more chunks wait less, and hidden traffic costs nothing`() {
    let step = PlannerFormulas.hybridStep(Self.inputs(gpus: 8, pipeline: 8))
    // One replica: 64 micro-batches, 7 of 71 slots idle.
    #expect(isClose(step.bubbleFraction, 7.0 / 71) && isClose(step.mfu, 0.5 * 64 / 71))
    let interleaved = PlannerFormulas.hybridStep(Self.inputs(gpus: 8, pipeline: 8, virtualStages: 7))
    #expect(isClose(interleaved.bubbleFraction, 1.0 / 65))
    let exposed = PlannerFormulas.hybridStep(Self.inputs(gpus: 8))
    // 2 · 7/8 · 2·10⁹ bytes at 10¹⁰ per second.
    #expect(isClose(exposed.allReduceSeconds, 0.35) && isClose(exposed.exposedSeconds, 0.35))
    #expect(isClose(exposed.stepSeconds, 0.48 + 0.35))
    let hidden = PlannerFormulas.hybridStep(Self.inputs(gpus: 8, overlap: 1))
    #expect(hidden.exposedSeconds == 0 && isClose(hidden.mfu, 0.5))
  }

  @Test func `context ranks share a sequence and join the ring`() {
    let step = PlannerFormulas.hybridStep(Self.inputs(gpus: 8, context: 4))
    #expect(step.dataParallel == 2 && step.microBatches == 32)
    #expect(isClose(step.allReduceSeconds, 0.35), "the ring has all eight ranks")
    #expect(isClose(step.stepSeconds, 0.48 + 0.35))
  }

  @Test func `readers feed whole replicas, and a node holds whole readers`() {
    func rate(perReader: Double, gpus: Double = 64) -> PlannerFormulas.LoaderRate {
      PlannerFormulas.loaderRate(
        peakFlops: 6e14, mfu: 0.5, parameters: 1e9, bytesPerToken: 2, gpusPerReader: perReader, gpus: gpus,
        gpusPerNode: 8, sequenceTokens: 500)
    }
    #expect(rate(perReader: 1).tokensPerSecondPerGPU == 50_000)
    #expect(rate(perReader: 1).bytesPerSecondBusiestNode == 800_000)
    #expect(rate(perReader: 16).bytesPerSecondBusiestNode == 1_600_000, "one reader for two nodes")
    #expect(rate(perReader: 16).bytesPerSecondTotal == 6_400_000)
    #expect(rate(perReader: 3).bytesPerSecondBusiestNode == 900_000, "three readers, the third half outside")
    #expect(rate(perReader: 1, gpus: 2).bytesPerSecondBusiestNode == 200_000, "a node that is not full")
    #expect(rate(perReader: 1).sequenceReadsPerSecondBusiestNode == 800)
  }

  @Test func `balance, store and splits count what they say`() {
    let balance = PlannerFormulas.balance(sequences: 103, gpus: 16, modelParallel: 4, globalBatch: 8)
    #expect(
      balance
        == PlannerFormulas.Balance(
          dataParallel: 4, sequencesPerRankMin: 25, ranksWithOneMore: 3, fullSteps: 12,
          sequencesIntoNextEpoch: 7, sequencesPerRankPerStep: 2))
    let size = PlannerFormulas.storeSize(
      tokens: 1000, bytesPerToken: 2, tokensPerDocument: 300, segmentBytes: 600, sequenceTokens: 64)
    #expect(size.tokenBytes == 2000 && size.segments == 4 && size.documents == 3 && size.sequences == 15)
    #expect(size.documentRecordBytes == 96 && size.packIndexBytes == 36)
    let split = PlannerFormulas.evenSplit(bytes: 1e6, gpus: 10, coresPerGPU: 100)
    #expect(split.bytesPerGPU == 1e5 && split.bytesPerCore == 1000)
    #expect(PlannerFormulas.tokensFromBytes(bytes: 100, bytesPerToken: 4) == 25)
  }

  @Test func `an unknown formula or a missing input is refused by name`() {
    #expect(throws: StorageError.self) { try PlannerFormulas.evaluate("no_such", [:]) }
    do {
      _ = try PlannerFormulas.evaluate("pf_days", ["parameters": 1])
      Issue.record("pf_days ran without tokens")
    } catch { #expect(error.message.contains("tokens")) }
    do {
      _ = try PlannerFormulas.evaluate(
        "balance", ["sequences": 1, "gpus": 0, "model_parallel": 1, "global_batch": 1])
      Issue.record("balance divided by nothing")
    } catch { #expect(error.message.contains("gpus")) }
    #expect(PlannerFormulas.names == PlannerFormulas.names.sorted() && Set(PlannerFormulas.names).count == 20)
  }
}
