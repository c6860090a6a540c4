import Bytes
import Filtering

/// The `filter` stage as a step of a chain.
public enum FilterSettings {
  public static func json(_ recipe: Recipe) -> JSONValue {
    ["recipe": .string(recipe.name), "recipe_sha256": .string(recipe.sha256)]
  }

  public static func step(_ recipe: Recipe, name: String = "filter", folder: String?) -> MapStep {
    MapStep(name: name, folder: folder, options: json(recipe)) { FilterTransform(recipe: recipe, stage: name) }
  }
}
