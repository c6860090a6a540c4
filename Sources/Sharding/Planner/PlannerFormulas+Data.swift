/// What a training reads, who reads how much, and how large a store is.
extension PlannerFormulas {
  public struct LoaderRate: Equatable, Sendable {
    public var tokensPerSecondPerGPU: Double
    public var bytesPerSecondPerReader: Double
    /// Of the node with the most readers.
    public var bytesPerSecondBusiestNode: Double
    public var bytesPerSecondPerNodeIfEveryRankReads: Double
    public var bytesPerSecondTotal: Double
    public var sequenceReadsPerSecondBusiestNode: Double
  }

  /// Tokens per second and GPU are X/(6 P). A reader feeds the TP·CP·PP GPUs of its replica.
  public static func loaderRate(
    peakFlops: Double, mfu: Double, parameters: Double, bytesPerToken: Double, gpusPerReader: Double,
    gpus: Double, gpusPerNode: Double, sequenceTokens: Double
  ) -> LoaderRate {
    let tokens = mfu * peakFlops / (flopsPerParameterToken * parameters)
    let reader = tokens * gpusPerReader * bytesPerToken
    let readers = max(1, (min(gpusPerNode, gpus) / gpusPerReader).rounded(.up))
    return LoaderRate(
      tokensPerSecondPerGPU: tokens, bytesPerSecondPerReader: reader,
      bytesPerSecondBusiestNode: reader * readers,
      bytesPerSecondPerNodeIfEveryRankReads: reader * min(gpusPerNode, gpus),
      bytesPerSecondTotal: tokens * gpus * bytesPerToken,
      sequenceReadsPerSecondBusiestNode: tokens * gpusPerReader * readers / sequenceTokens)
  }

  public struct Balance: Equatable, Sendable {
    public var dataParallel: Int
    public var sequencesPerRankMin: Int
    public var ranksWithOneMore: Int
    public var fullSteps: Int
    /// What is left of an epoch after its full steps: it opens the next epoch's first.
    public var sequencesIntoNextEpoch: Int
    public var sequencesPerRankPerStep: Int
  }

  /// One epoch of `sequences` over DP = gpus / modelParallel ranks. All arguments are at least 1, gpus ≥ modelParallel.
  public static func balance(sequences: Int, gpus: Int, modelParallel: Int, globalBatch: Int) -> Balance {
    let data = gpus / modelParallel
    return Balance(
      dataParallel: data, sequencesPerRankMin: sequences / data, ranksWithOneMore: sequences % data,
      fullSteps: sequences / globalBatch, sequencesIntoNextEpoch: sequences % globalBatch,
      sequencesPerRankPerStep: globalBatch / data)
  }

  public struct StoreSize: Equatable, Sendable {
    public var tokenBytes: Double
    public var segments: Double
    public var documents: Double
    public var documentRecordBytes: Double
    public var sequences: Double
    /// Twelve bytes per piece, and hardly more pieces than documents.
    public var packIndexBytes: Double
  }

  /// Files of a token store of this many tokens.
  public static func storeSize(
    tokens: Double, bytesPerToken: Double, tokensPerDocument: Double, segmentBytes: Double,
    sequenceTokens: Double
  ) -> StoreSize {
    let bytes = tokens * bytesPerToken
    let documents = (tokens / tokensPerDocument).rounded()
    return StoreSize(
      tokenBytes: bytes, segments: (bytes / segmentBytes).rounded(.up), documents: documents,
      documentRecordBytes: documents * Double(SegmentWriter.documentRecordBytes),
      sequences: (tokens / sequenceTokens).rounded(.down), packIndexBytes: documents * 12)
  }

  /// Bytes shared out evenly.
  public static func evenSplit(
    bytes: Double, gpus: Double, coresPerGPU: Double
  ) -> (bytesPerGPU: Double, bytesPerCore: Double) {
    (bytes / gpus, bytes / gpus / coresPerGPU)
  }

  /// Tokens in text, by a rule of thumb of bytes per token.
  public static func tokensFromBytes(bytes: Double, bytesPerToken: Double) -> Double { bytes / bytesPerToken }
}
