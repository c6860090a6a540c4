import Bytes
import Filtering

/// The `filter` stage as a step of a chain.
public enum FilterSettings {
  public static func json(_ recipe: Recipe) -> JSONValue {
    ["recipe": .string(recipe.name), "recipe_sha256": .string(recipe.sha256)]
  }

  /// The recipe of a finished filter stage, or nil if the manifest is another stage's.
  public static func recipe(of manifest: StageManifest) -> String? {
    manifest.options["chain"]?.array?.last?["options"]?["recipe"]?.string
  }

  public static func step(_ recipe: Recipe, name: String = "filter", folder: String?) -> MapStep {
    MapStep(name: name, folder: folder, options: json(recipe)) {
      FilterTransform(recipe: recipe, stage: name)
    }
  }
}
