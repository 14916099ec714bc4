package io.github.diffusion4j.family;

import io.github.diffusion4j.ModelFormatException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** The known families. */
public final class Families {

  private static final List<ModelFamily> ALL =
      List.of(
          new StableDiffusionFamily(),
          new StableDiffusionXlFamily(),
          new StableDiffusion3Family(),
          new FluxFamily(),
          new LatentConsistencyFamily(),
          new LatentDiffusionFamily());

  private Families() {}

  /**
   * All families, the most particular first.
   *
   * @return an immutable list
   */
  public static List<ModelFamily> all() {
    return ALL;
  }

  /**
   * The family of a model.
   *
   * @param layout the model's folder
   * @return the first family that matches
   * @throws ModelFormatException if none does
   */
  public static ModelFamily of(ModelLayout layout) {
    return find(layout)
        .orElseThrow(
            () ->
                new ModelFormatException(
                    layout.folder()
                        + ": model_index.json names the pipeline \""
                        + layout.pipelineClass()
                        + "\", which is of no known family; known are "
                        + ALL.stream().map(ModelFamily::name).collect(Collectors.joining(", "))));
  }

  /** The first family that matches, if one does. */
  static Optional<ModelFamily> find(ModelLayout layout) {
    return ALL.stream().filter(family -> family.matches(layout)).findFirst();
  }
}
