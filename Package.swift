// swift-tools-version: 6.2
import PackageDescription

// CI builds with SLUICE_STRICT=1: a warning is then an error.
let isStrict = Context.environment["SLUICE_STRICT"] == "1"
let swiftSettings: [SwiftSetting] =
  [.enableUpcomingFeature("ExistentialAny")] + (isStrict ? [.treatAllWarnings(as: .error)] : [])

/// A module of the pipeline. Arrows point down only; see ARCHITECTURE.md.
func room(_ name: String, _ needs: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: needs, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ needs: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: needs, path: "Tests/\(name)", swiftSettings: swiftSettings)
}

let package = Package(
  name: "sluice",
  products: [.executable(name: "sluice", targets: ["sluice"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .target(name: "CKernels", cSettings: [.unsafeFlags(["-O2"], .when(configuration: .debug))]),
    .target(name: "CEmbedded"),
    .systemLibrary(name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CBzip2", providers: [.apt(["libbz2-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
    .systemLibrary(name: "CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

    room("Bytes", ["CKernels"]),
    room("Storage", ["Bytes", "CISAL", "CZstd", "CBzip2", "CYaml", "CCrypto"]),
    room("Text", ["Bytes", "CKernels"]),
    room("Documents", ["Bytes", "Storage"]),
    room("Extraction", ["Bytes", "Storage", "Text", "Documents", "CXML2", "CZlib", "CEmbedded", "CKernels"]),
    room("Filtering", ["Bytes", "Storage", "Text", "Documents", "CEmbedded", "CKernels"]),
    room("Deduplication", ["Bytes", "Storage", "Text", "Documents", "CKernels"]),
    room("Tokenization", ["Bytes", "Storage", "Documents", "CKernels"]),
    room("Sharding", ["Bytes", "Storage", "Documents", "Tokenization", "CEmbedded"]),
    room(
      "Pipeline",
      [
        "Bytes", "Storage", "Text", "Documents", "Extraction", "Filtering", "Deduplication",
        "Tokenization", "Sharding",
      ]),
    room(
      "Commands",
      [
        "Bytes", "Storage", "Text", "Documents", "Extraction", "Filtering", "Deduplication",
        "Tokenization", "Sharding", "Pipeline",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(name: "sluice", dependencies: ["Commands"], swiftSettings: swiftSettings),

    .target(
      name: "TestSupport", dependencies: ["Bytes", "Storage", "Documents"], path: "Tests/TestSupport",
      swiftSettings: swiftSettings),
    tests("BytesTests", ["Bytes", "TestSupport"]),
    tests("StorageTests", ["Storage", "Bytes", "TestSupport"]),
    tests("TextTests", ["Text", "Bytes", "TestSupport"]),
    tests("DocumentsTests", ["Documents", "Bytes", "TestSupport"]),
    tests("ExtractionTests", ["Extraction", "Documents", "Storage", "Bytes", "TestSupport"]),
    tests("FilteringTests", ["Filtering", "Text", "Documents", "Storage", "Bytes", "TestSupport"]),
    tests("DeduplicationTests", ["Deduplication", "Text", "Documents", "Storage", "Bytes", "TestSupport"]),
    tests("TokenizationTests", ["Tokenization", "Documents", "Storage", "Bytes", "TestSupport"]),
    tests("ShardingTests", ["Sharding", "Tokenization", "Documents", "Storage", "Bytes", "TestSupport"]),
    tests("PipelineTests", ["Pipeline", "Tokenization", "Documents", "Storage", "Bytes", "TestSupport"]),
    tests("CommandTests", ["Bytes", "Storage", "TestSupport"]),
    tests("ReliabilityTests", ["Bytes", "Storage", "TestSupport"]),
    tests("TidyTests", ["TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)
