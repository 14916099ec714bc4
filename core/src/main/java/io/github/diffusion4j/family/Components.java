package io.github.diffusion4j.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.DenoiserModel;
import io.github.diffusion4j.LowResolution;
import io.github.diffusion4j.ModelFacts;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.graph.UNet;
import io.github.diffusion4j.loop.BatchingDenoiserModel;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.GraphEdit;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.onnx.ParallelOpening;
import io.github.diffusion4j.onnx.TensorSpec;
import io.github.diffusion4j.scheduler.NoiseSchedule;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.Schedulers;
import io.github.diffusion4j.scheduler.TrainedScheduler;
import io.github.diffusion4j.tokenizer.Tokenizer;
import io.github.diffusion4j.tokenizer.TokenizerFormatException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Function;

/** The open networks of a model's folder, and the checks and readings that families share. */
final class Components {

  private static final int CLIP_TOKENS = 77;

  private static final String ENCODER = "text_encoder";
  private static final String TOKENIZER = "tokenizer";
  private static final String ENCODES_PICTURES = "vae_encoder";

  private final ModelLayout layout;
  private final Map<String, Tokenizer> tokenizers;
  private final Map<String, OrtModel> models;
  private final OrtRuntime runtime;
  private final Closer open;

  private Components(
      ModelLayout layout, OrtRuntime runtime, Closer open, Map<String, AutoCloseable> opened) {
    this.layout = layout;
    this.runtime = runtime;
    this.open = open;
    tokenizers = of(Tokenizer.class, opened);
    models = of(OrtModel.class, opened);
  }

  /**
   * Opens networks side by side, the text encoders' tokenizers with them, and the autoencoder's
   * encoder where the model has it. Words of textual inversion are taught on the way.
   *
   * @param names folder names; each must be there
   * @param open closes what is opened
   */
  static Components open(ModelLayout layout, OrtRuntime runtime, Closer open, String... names)
      throws IOException {
    Map<String, ComponentNetwork> networks =
        layout.withOptional(layout.networks(names), ENCODES_PICTURES);
    boolean steered = !layout.controlNets().isEmpty();
    networks.computeIfPresent(
        "unet",
        (name, network) ->
            network
                .withUNet(UNet::withDeepFeatures)
                .withUNet(unet -> steered ? unet.withResiduals() : unet));
    List<String> suffixes =
        networks.keySet().stream()
            .filter(name -> name.startsWith(ENCODER))
            .map(name -> name.substring(ENCODER.length()))
            .sorted()
            .toList();
    layout.loras().requireAmong(networks.keySet());
    Map<String, Callable<AutoCloseable>> tasks = new LinkedHashMap<>();
    Map<String, AutoCloseable> opened = new HashMap<>();
    for (int i = 0; i < suffixes.size(); i++) {
      String suffix = suffixes.get(i);
      TextualInversions words = new TextualInversions(layout.inversions(), i, suffixes.size());
      tasks.put(TOKENIZER + suffix, () -> tokenizer(layout, suffix, words));
    }
    if (!layout.inversions().isEmpty()) { // the networks learn words at places the tokenizers know
      opened.putAll(ParallelOpening.open(tasks, open));
      tasks.clear();
    }
    networks.forEach(
        (name, network) -> {
          int encoder = name.startsWith(ENCODER) ? suffixes.indexOf(suffix(name)) : -1;
          List<GraphEdit> words =
              encoder < 0 || layout.inversions().isEmpty()
                  ? List.of()
                  : new TextualInversions(layout.inversions(), encoder, suffixes.size())
                      .edits((Tokenizer) opened.get(TOKENIZER + suffix(name)));
          tasks.put(
              name,
              () -> {
                List<GraphEdit> edits = new ArrayList<>(words);
                edits.addAll(network.merged(layout.loras()));
                if (sharesRuns(name, layout, runtime)) {
                  edits.add(new GraphEdit.RowTimesteps());
                }
                return name.equals(ENCODES_PICTURES)
                    ? network.openWhenNeeded(runtime, edits)
                    : network.open(runtime, edits);
              });
        });
    opened.putAll(ParallelOpening.open(tasks, open));
    return new Components(layout, runtime, open, opened);
  }

  /** Whether generations share runs of a network, whatever their steps. */
  private static boolean sharesRuns(String name, ModelLayout layout, OrtRuntime runtime) {
    return runtime.generationBatching().isOn()
        && name.equals("unet")
        && layout.controlNets().isEmpty(); // these have the same timestep
  }

  /** A denoiser whose runs generations share if the options say so. */
  DenoiserModel shared(OrtDenoiserModel denoiser) {
    return runtime.generationBatching().isOn()
        ? new BatchingDenoiserModel(denoiser, runtime.generationBatching())
        : denoiser;
  }

  private static String suffix(String encoder) {
    return encoder.substring(ENCODER.length());
  }

  private static <T> Map<String, T> of(Class<T> type, Map<String, AutoCloseable> opened) {
    Map<String, T> some = new HashMap<>();
    opened.forEach(
        (name, value) -> {
          if (type.isInstance(value)) {
            some.put(name, type.cast(value));
          }
        });
    return some;
  }

  /** A text encoder's tokenizer that knows more words. */
  static Tokenizer tokenizer(ModelLayout layout, String suffix, TextualInversions words)
      throws IOException {
    ConfigFile encoder = layout.config(ENCODER + suffix);
    boolean t5 = encoder.text("model_type").orElse("").contains("t5");
    int limit =
        encoder.positive("max_position_embeddings").orElse(t5 ? T5Sequence.LONGEST : CLIP_TOKENS);
    try {
      return words.tokenizer(
          options -> layout.files().tokenizer(TOKENIZER + suffix, options), limit);
    } catch (TokenizerFormatException e) {
      throw new ModelFormatException(e.getMessage(), e);
    }
  }

  ModelLayout layout() {
    return layout;
  }

  OrtModel model(String component) {
    return models.get(component);
  }

  /** A CLIP text encoder with its tokenizer; the suffix is "", "_2", … */
  TextEncoder clip(String suffix) {
    return TextEncoder.ofTokenizersLength(
        tokenizers.get(TOKENIZER + suffix), model(ENCODER + suffix));
  }

  /** A T5 text encoder with its tokenizer; the suffix is "_2" or "_3". */
  TextEncoder t5(String suffix) {
    return new TextEncoder(tokenizers.get(TOKENIZER + suffix), model(ENCODER + suffix));
  }

  /** The autoencoder. */
  OrtLatentCodec codec() {
    return new OrtLatentCodec(models, layout.config("vae_decoder"));
  }

  /** The UNet, with as many channels beside the autoencoder's as its pipeline has. */
  OrtDenoiserModel unet(OrtLatentCodec codec, Set<String> conditions) throws IOException {
    OrtModel unet = model("unet");
    DenoiserInput kind = DenoiserInput.of(layout.pipelineClass());
    int latents = codec.latentChannels();
    TensorSpec sample = unet.input("sample");
    int declared = sample.rank() == 4 ? (int) sample.dim(1) : -1;
    int extra =
        declared > 0
            ? declared - latents
            : layout
                .config("unet")
                .positive("in_channels")
                .map(channels -> channels - latents)
                .orElse(kind.extraChannels(latents));
    boolean known = kind.takes(extra, latents);
    Optional<IpAdapter> adapter = IpAdapter.of(layout, runtime, unet);
    adapter.ifPresent(open::own);
    return new OrtDenoiserModel(
        unet,
        "sample",
        conditions,
        new OrtDenoiserModel.Input(known ? extra : 0, sample.dim(-1) > 0 ? 1 : halvings(), adapter),
        new OrtDenoiserModel.Steering(controlNets(unet, conditions), Optional.empty()));
  }

  /** The networks that steer a UNet which takes residuals. */
  private Optional<ControlNets> controlNets(OrtModel unet, Set<String> conditions)
      throws IOException {
    if (unet.inputs().keySet().stream().anyMatch(Residuals::isResidual)) {
      return Optional.of(open.own(ControlNets.of(layout, runtime, unet, conditions)));
    }
    if (layout.hasGivenControlNets()) {
      throw new ModelFormatException(
          "%s: the UNet takes no residuals, so no ControlNet can steer it; export it with inputs down_block_0 … and mid_block_additional_residual"
              .formatted(layout.folder()));
    }
    return Optional.empty();
  }

  /** Each block of a UNet after the first halves the latents. */
  private int halvings() {
    int blocks = layout.config("unet").length("block_out_channels").orElse(1);
    return 1 << Math.max(0, Math.min(8, blocks - 1));
  }

  /** Checks that a denoiser's latents are the autoencoder's. */
  void checkLatents(OrtDenoiserModel denoiser, OrtLatentCodec codec) {
    TensorSpec sample = denoiser.sample();
    if (sample.rank() != 4) {
      throw new ModelFormatException(
          "%s: %s input %s has %d dimensions, expected 4"
              .formatted(layout.folder(), denoiser.component(), sample, sample.rank()));
    }
    long channels = sample.dim(1);
    if (channels > 0 && channels != codec.latentChannels() + denoiser.extraChannels()) {
      throw new ModelFormatException(
          "%s: %s input %s has %d channels, but the autoencoder's latents have %d; a UNet with more inputs (inpainting, pix2pix, upscaler) is another kind of model"
              .formatted(
                  layout.folder(), denoiser.component(), sample, channels, codec.latentChannels()));
    }
    for (int axis = 2; axis < 4; axis++) {
      long cells = sample.dim(axis);
      long decoded = codec.latents().dim(axis);
      if (cells > 0 && decoded > 0 && cells != decoded) {
        throw new ModelFormatException(
            "%s: %s input %s and vae_decoder input %s have different fixed sizes"
                .formatted(layout.folder(), denoiser.component(), sample, codec.latents()));
      }
    }
  }

  /** Checks that a denoiser's condition is as wide as what is given to it; -1: nobody knows. */
  void checkWidth(OrtDenoiserModel denoiser, String condition, long given) {
    TensorSpec spec = denoiser.condition(condition);
    long width = spec.dim(-1);
    if (width > 0 && given > 0 && width != given) {
      throw new ModelFormatException(
          "%s: %s input %s is %d wide, but the text encoder gives embeddings %d wide; the components belong to different models"
              .formatted(layout.folder(), denoiser.component(), spec, width, given));
    }
  }

  /** How wide a distilled UNet takes the embedding of the guidance scale. */
  int guidanceWidth(OrtDenoiserModel unet) {
    long declared = unet.condition(GuidanceEmbedding.INPUT).dim(1);
    ConfigFile config = layout.config(unet.component());
    int width = config.positive("time_cond_proj_dim").orElse(declared > 0 ? (int) declared : 256);
    if (width < 4 || declared > 0 && declared != width) {
      throw config.wrong(
          "time_cond_proj_dim",
          "at least 4 and the width of input " + unet.condition(GuidanceEmbedding.INPUT),
          width);
    }
    return width;
  }

  /** The sum of widths; -1 if one is not known. */
  static long sum(long... widths) {
    long sum = 0;
    for (long width : widths) {
      if (width < 0) {
        return -1;
      }
      sum += width;
    }
    return sum;
  }

  /**
   * What a family takes where neither request nor model says.
   *
   * @param family its name
   * @param cells latent cells along each side
   * @param steps number of steps
   * @param guidanceScale guidance scale
   */
  record Defaults(String family, int cells, int steps, double guidanceScale) {}

  /** What the model says of itself. */
  ModelFacts facts(OrtDenoiserModel denoiser, OrtLatentCodec codec, Defaults defaults) {
    TensorSpec sample = denoiser.sample();
    boolean fixed = sample.rank() == 4 && sample.dim(2) > 0 && sample.dim(3) > 0;
    ConfigFile generation = layout.generation();
    ConfigFile config = layout.config(denoiser.component());
    int height = fixed ? (int) sample.dim(2) : cells(config, 0, defaults.cells);
    int width = fixed ? (int) sample.dim(3) : cells(config, 1, defaults.cells);
    return new ModelFacts(
        layout.name(),
        defaults.family,
        generation.positive("width").orElse(width * codec.factor()),
        generation.positive("height").orElse(height * codec.factor()),
        generation.positive("num_inference_steps").orElse(defaults.steps),
        generation.number("guidance_scale").orElse(defaults.guidanceScale),
        fixed,
        schedulerConfig());
  }

  /** Checked here, so that a model with an unknown solver is refused when it is opened. */
  private Map<String, Object> schedulerConfig() {
    ConfigFile file = layout.scheduler();
    checked(file, Schedulers::fromConfig);
    return new LinkedHashMap<>(file.toMap());
  }

  /** How an upscaler noises its small picture: by a schedule of its own. */
  LowResolution lowResolution() {
    ConfigFile file = layout.config("low_res_scheduler", "scheduler_config.json");
    if (!file.present()) {
      throw new ModelFormatException(layout.folder() + ": " + file.name() + " is missing");
    }
    Scheduler scheduler =
        checked(file, config -> Schedulers.fromConfig(config, "DDIMScheduler")); // DDPM's betas
    NoiseSchedule schedule = ((TrainedScheduler) scheduler).noiseSchedule();
    int most = layout.index().integer("max_noise_level").orElse(350);
    return new LowResolution(schedule, Math.min(most, schedule.trainSteps() - 1));
  }

  private Scheduler checked(ConfigFile file, Function<Map<String, Object>, Scheduler> reading) {
    try {
      return reading.apply(file.toMap());
    } catch (IllegalArgumentException e) {
      throw new ModelFormatException(
          layout.folder() + ": " + file.name() + ": " + e.getMessage(), e);
    }
  }

  /** sample_size is one number, or height and width. */
  private static int cells(ConfigFile config, int axis, int otherwise) {
    JsonNode size = config.value("sample_size").orElse(null);
    if (size != null && size.isArray()) {
      JsonNode cells = size.path(axis);
      if (!cells.canConvertToInt() || cells.intValue() < 1) {
        throw config.wrong("sample_size", "a positive integer or two", size);
      }
      return cells.intValue();
    }
    return config.positive("sample_size").orElse(otherwise);
  }
}
