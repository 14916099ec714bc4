package io.github.diffusion4j.family;

import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.OnnxFile;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.SteeredNetwork;
import io.github.diffusion4j.onnx.TensorSpec;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * An open control network (Zhang et al. 2023, arXiv 2302.05543): a copy of a UNet's first half that
 * reads a picture beside latents, time and text, and gives residuals for the UNet's skip
 * connections.
 *
 * @param signature what it takes and gives
 * @param model the network
 */
record ControlNet(Signature signature, OrtModel model) {

  static final String SAMPLE = "sample";
  static final String TIMESTEP = "timestep";
  static final String PICTURE = "controlnet_cond";
  static final String SCALE = "conditioning_scale";

  private static final int PICTURE_CHANNELS = 3;

  /**
   * What a control network takes and gives.
   *
   * @param network where it is
   * @param inputs by name
   * @param residuals its outputs
   * @param pooled whether the residuals are averages over the picture: such a network is trained
   *     for the prompt's branch alone
   */
  record Signature(
      ComponentNetwork network,
      Map<String, TensorSpec> inputs,
      Residuals residuals,
      boolean pooled) {

    /** Reads and checks a file. */
    static Signature of(ComponentNetwork network, ConfigFile config) throws IOException {
      String name = network.component();
      OnnxFile file = network.describe();
      Map<String, TensorSpec> inputs =
          file.inputs().stream().collect(Collectors.toMap(TensorSpec::name, Function.identity()));
      for (String needed : List.of(SAMPLE, TIMESTEP, PICTURE)) {
        if (!inputs.containsKey(needed)) {
          throw new ModelFormatException(
              "%s: %s has no input %s, which a ControlNet takes; it has %s"
                  .formatted(name, file.file(), needed, file.inputs()));
        }
      }
      TensorSpec picture = inputs.get(PICTURE);
      if (picture.rank() != 4 || picture.dim(1) > 0 && picture.dim(1) != PICTURE_CHANNELS) {
        throw new ModelFormatException(
            "%s: %s: input %s must have 4 dimensions and %d channels"
                .formatted(name, file.file(), picture, PICTURE_CHANNELS));
      }
      Residuals residuals = Residuals.of(file.outputs(), config, name);
      boolean pooled = config.flag("global_pool_conditions").orElse(false);
      return new Signature(network, inputs, residuals, pooled);
    }

    /** What the network is called in its model. */
    String name() {
      return network.component();
    }

    /** Checks that it is told nothing that the UNet is not told. */
    void requireConditions(Set<String> conditions) {
      Set<String> own = Set.of(SAMPLE, TIMESTEP, PICTURE, SCALE);
      for (TensorSpec input : inputs.values()) {
        if (!own.contains(input.name()) && !conditions.contains(input.name())) {
          throw new ModelFormatException(
              "%s: %s has an input %s, which this kind of model does not have, expected only %s and %s"
                  .formatted(name(), network.file(), input, own, conditions));
        }
      }
    }

    /**
     * This network as a part of a UNet's graph; a plain UNet has no channels beside the latents.
     */
    SteeredNetwork.Guest guest(boolean plain) {
      return new SteeredNetwork.Guest(
          network.source(),
          residuals.specs().stream().map(TensorSpec::name).toList(),
          plain ? Set.of() : Set.of(SAMPLE),
          Optional.ofNullable(inputs.get(SCALE)));
    }

    /** Whether the network multiplies its residuals by a scale itself. */
    boolean scales() {
      return inputs.containsKey(SCALE);
    }
  }
}
