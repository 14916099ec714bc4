package io.github.diffusion4j.graph;

import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.GraphEdit;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The denoiser of Stable Diffusion 1, 2 and XL and of what was made from them: {@code
 * UNet2DConditionModel} and {@code UNet2DModel} of diffusers. Latents of any size go in, also where
 * halving leaves a remainder. Immutable.
 */
public final class UNet implements Architecture {

  static final String OUTPUT = "out_sample";

  private static final Set<Class<? extends GraphEdit>> KNOWN =
      Set.of(GraphEdit.RowTimesteps.class, GraphEdit.DeepFeatureInput.class);

  private final UNetConfig config;
  private final int pooledWidth;
  private final boolean takesResiduals;
  private final boolean givesFeatures;

  private UNet(UNetConfig config, int pooledWidth, boolean takesResiduals, boolean givesFeatures) {
    this.config = config;
    this.pooledWidth = pooledWidth;
    this.takesResiduals = takesResiduals;
    this.givesFeatures = givesFeatures;
  }

  /**
   * Reads a configuration.
   *
   * @param config the UNet's config.json
   * @return the network
   * @throws ModelFormatException if a value is wrong or not built; the message names it
   */
  public static UNet of(ConfigFile config) {
    UNetConfig read = UNetConfig.of(config);
    if (read.up().isEmpty()) {
      throw config.wrong("_class_name", "that of a UNet", "ControlNetModel");
    }
    return new UNet(read, 0, false, false);
  }

  /**
   * The same network, which knows the width of the pooled text embedding: config.json has only its
   * sum with the width of the embedded sizes.
   *
   * @param width of the second text encoder's projection
   * @return a network whose inputs {@code text_embeds} and {@code time_ids} have fixed widths
   * @throws ModelFormatException if such an embedding does not fit
   */
  public UNet withPooledWidth(int width) {
    UNetConfig.EmbeddingConfig extra = config.extra();
    if (extra.addition() != UNetConfig.Addition.TEXT_TIME) {
      return this;
    }
    int sizes = extra.additionWidth() - width;
    if (width < 1 || sizes < 1 || sizes % extra.additionSinusoids() != 0) {
      throw new ModelFormatException(
          ("unet/config.json: \"projection_class_embeddings_input_dim\" is %d, which is no pooled"
                  + " embedding of width %d and sizes of width %d each")
              .formatted(extra.additionWidth(), width, extra.additionSinusoids()));
    }
    return new UNet(config, width, takesResiduals, givesFeatures);
  }

  /**
   * The same network with inputs for what ControlNets add: {@code down_block_0} and so on for the
   * results of the layers that go down, {@code mid_block_additional_residual} for the mid block's.
   *
   * @return the network
   */
  public UNet withResiduals() {
    return new UNet(config, pooledWidth, true, givesFeatures);
  }

  /**
   * The same network with outputs for what its layers on the way up read from below, {@link
   * GraphEdit#deepFeature}, for feature reuse. A run that does not ask for them gives the same
   * result in the same time.
   *
   * @return the network
   */
  public UNet withDeepFeatures() {
    return new UNet(config, pooledWidth, takesResiduals, true);
  }

  UNetConfig config() {
    return config;
  }

  int pooledWidth() {
    return pooledWidth;
  }

  @Override
  public void addTo(Graph graph, List<GraphEdit> edits) {
    boolean rows = edits.contains(new GraphEdit.RowTimesteps());
    refuse(edits.stream().filter(edit -> !KNOWN.contains(edit.getClass())).toList());
    Object[] timesteps = rows ? new Object[] {UNetInputs.BATCH} : new Object[0];
    UNetInputs inputs = UNetInputs.declare(graph, config, pooledWidth, timesteps);
    UNetLayers layers = UNetLayers.of(config, graph.root(), inputs);
    Value decoded =
        DeepFeature.of(edits, config)
            .map(feature -> feature.decoded(layers, inputs.sample()))
            .orElseGet(() -> decoded(layers, inputs.sample()));
    Value out =
        config.time().divideOutput()
            ? decoded.over(inputs.timestep().cast(decoded.type()).reshape(-1, 1, 1, 1))
            : decoded;
    int channels = config.output().channels();
    graph.output(OUTPUT, out, UNetInputs.BATCH, channels, UNetInputs.HEIGHT, UNetInputs.WIDTH);
  }

  private Value decoded(UNetLayers layers, Value sample) {
    UNetLayers.Encoded encoded = layers.encode(layers.enter(sample));
    Value mid = layers.mid(encoded.last());
    UNetLayers.Encoded steered = new UNetLayers.Encoded(encoded.skips(), mid);
    if (takesResiduals) {
      steered = Residuals.declare(sample.graph(), steered).addTo(steered);
    }
    return givesFeatures ? DeepFeature.decodedWithOutputs(layers, steered) : layers.decode(steered);
  }

  /** No other change of a graph concerns a UNet. */
  static void refuse(List<GraphEdit> edits) {
    if (!edits.isEmpty()) {
      throw new IllegalArgumentException("edits must be empty for a UNet, got " + edits);
    }
  }

  @Override
  public boolean takesLoraInputs() {
    return true;
  }

  @Override
  public String presentName(String key) {
    return SpatialAttention.presentName(key);
  }

  @Override
  public boolean tolerates(String key) {
    return false;
  }

  /**
   * What ControlNets add to a UNet.
   *
   * @param skips for each result that goes across, in the order of the computation
   * @param mid for the mid block's result
   */
  record Residuals(List<Value> skips, Value mid) {

    static final String SKIP = "down_block_";
    static final String MID_INPUT = "mid_block_additional_residual";
    static final String MID_OUTPUT = "mid_block_res_sample";

    /** Inputs for them, of the shapes of what they are added to. */
    static Residuals declare(Graph graph, UNetLayers.Encoded encoded) {
      List<Value> skips = new ArrayList<>();
      for (Value skip : encoded.skips()) {
        int i = skips.size();
        skips.add(graph.input(SKIP + i, skip.type(), dimensions("db" + i, skip)));
      }
      Value mid = encoded.last();
      return new Residuals(skips, graph.input(MID_INPUT, mid.type(), dimensions("mid", mid)));
    }

    /** Makes them outputs. */
    void declareOutputs(Graph graph) {
      for (int i = 0; i < skips.size(); i++) {
        graph.output(SKIP + i, skips.get(i), dimensions("db" + i, skips.get(i)));
      }
      graph.output(MID_OUTPUT, mid, dimensions("mid", mid));
    }

    private static Object[] dimensions(String name, Value map) {
      return new Object[] {UNetInputs.BATCH, map.dim(1), name + "_height", name + "_width"};
    }

    /** Adds them to a UNet's own results. */
    UNetLayers.Encoded addTo(UNetLayers.Encoded encoded) {
      List<Value> sums = new ArrayList<>();
      for (int i = 0; i < skips.size(); i++) {
        sums.add(encoded.skips().get(i).plus(skips.get(i)));
      }
      return new UNetLayers.Encoded(sums, encoded.last().plus(mid));
    }
  }
}
