import Glibc

/// The planner's arithmetic as pure functions. SI units: FLOP, bytes, seconds; rates per second. Nothing here knows a
/// device, a file or a default.
///
/// - Source: Kaplan et al. 2020 (6 FLOP per parameter and token), Hoffmann et al. 2022 (20 tokens per parameter),
///   Narayanan et al. 2021 (pipeline bubble, interleaved stages), Patarasuk and Yuan 2009 (ring all-reduce).
public enum PlannerFormulas {
  /// FLOP of one PFLOP/s held for a day.
  public static let pfDay = 8.64e19
  public static let secondsPerDay = 86_400.0
  /// Julian year; a month is a twelfth of it.
  public static let secondsPerYear = 365.25 * secondsPerDay
  public static let secondsPerMonth = secondsPerYear / 12
  /// Forward 2, backward 4. Full recomputation executes the forward pass twice: 8; MFU counts 6 all the same.
  public static let flopsPerParameterToken = 6.0
  /// Tokens per parameter at which compute is spent best.
  public static let tokensPerParameter = 20.0

  // MARK: Compute

  /// FLOP of training `parameters` on `tokens`.
  public static func trainingFlops(
    parameters: Double, tokens: Double, flopsPerParameterToken: Double = flopsPerParameterToken
  ) -> Double {
    flopsPerParameterToken * parameters * tokens
  }

  /// The same in PF-days.
  public static func pfDays(
    parameters: Double, tokens: Double, flopsPerParameterToken: Double = flopsPerParameterToken
  ) -> Double {
    trainingFlops(parameters: parameters, tokens: tokens, flopsPerParameterToken: flopsPerParameterToken)
      / pfDay
  }

  /// Days that `pfDays` take at a sustained rate.
  public static func daysAtRate(pfDays: Double, flopsPerSecond: Double) -> Double {
    pfDays * pfDay / flopsPerSecond / secondsPerDay
  }

  /// FLOP/s that each GPU must have sustained for a training of known length.
  public static func impliedFlopsPerGPU(flops: Double, gpus: Double, seconds: Double) -> Double {
    flops / (gpus * seconds)
  }

  /// Seconds of a training at a sustained rate per GPU; scaling is taken as linear.
  public static func trainTime(flops: Double, gpus: Double, flopsPerGPU: Double) -> Double {
    flops / (gpus * flopsPerGPU)
  }

  /// How much faster a GPU of cluster b is than one of cluster a, when both did the same work.
  public static func speedRatio(gpusA: Double, monthsA: Double, gpusB: Double, monthsB: Double) -> Double {
    gpusA * monthsA / (gpusB * monthsB)
  }

  public static func ratio(_ a: Double, _ b: Double) -> Double { a / b }

  public static func peakFlops(gpus: Double, flopsPerGPU: Double) -> Double { gpus * flopsPerGPU }

  /// Tokens that `parameters` want, and the FLOP of that training: quadratic in the parameters.
  public static func computeOptimal(
    parameters: Double, tokensPerParameter: Double = tokensPerParameter
  ) -> (tokens: Double, flops: Double) {
    let tokens = tokensPerParameter * parameters
    return (tokens, trainingFlops(parameters: parameters, tokens: tokens))
  }

  /// Parameters for which `tokens` are just enough.
  public static func computeOptimalParameters(
    tokens: Double, tokensPerParameter: Double = tokensPerParameter
  ) -> Double {
    tokens / tokensPerParameter
  }

  /// Parameters that spend `flops` best.
  public static func computeOptimalParameters(
    flops: Double, tokensPerParameter: Double = tokensPerParameter
  ) -> Double {
    (flops / (flopsPerParameterToken * tokensPerParameter)).squareRoot()
  }

  // MARK: Growth

  /// Growth in a year of what doubles every `doublingMonths`.
  public static func growthPerYear(doublingMonths: Double) -> Double { pow(2, 12 / doublingMonths) }

  /// Months in which something doubles that grows by `factor` in `months`.
  public static func doublingFromGrowth(factor: Double, months: Double) -> Double {
    months / log2(factor)
  }
}
