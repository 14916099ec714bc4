package io.github.diffusion4j.family;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.ControlSchedule;
import io.github.diffusion4j.Denoiser;
import io.github.diffusion4j.DenoiserModel;
import io.github.diffusion4j.FeatureReuse;
import io.github.diffusion4j.ImagePromptEncoder;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.RunSharing;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtTensor;
import io.github.diffusion4j.onnx.TensorSpec;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A UNet or transformer in ONNX Runtime. Rows (branches times images) go through in as few runs as
 * the network's batch dimension and the wanted batching allow; every row's conditioning is wrapped
 * once a generation, and channels that stay beside the latents are written once too.
 */
final class OrtDenoiserModel implements DenoiserModel {

  private static final Set<ElementType> FLOATS =
      EnumSet.of(
          ElementType.FLOAT32, ElementType.FLOAT16, ElementType.BFLOAT16, ElementType.FLOAT64);
  private static final Set<ElementType> NUMBERS =
      EnumSet.of(
          ElementType.FLOAT32,
          ElementType.FLOAT16,
          ElementType.BFLOAT16,
          ElementType.FLOAT64,
          ElementType.INT64,
          ElementType.INT32);

  /**
   * What a network's input asks for.
   *
   * @param extraChannels channels beside the latents
   * @param multiple cells of which height and width are multiples
   * @param adapter tells it of pictures; empty for a network without such an input
   */
  record Input(int extraChannels, int multiple, Optional<IpAdapter> adapter) {
    Input(int extraChannels, int multiple) {
      this(extraChannels, multiple, Optional.empty());
    }
  }

  /**
   * What steers a network that takes residuals.
   *
   * @param nets its control networks; empty for a network that takes no residuals
   * @param schedule what they read in one generation; empty for none
   */
  record Steering(Optional<ControlNets> nets, Optional<ControlSchedule> schedule) {
    static final Steering NONE = new Steering(Optional.empty(), Optional.empty());
  }

  private final OrtModel model;
  private final ChangedNetwork changed;
  private final TensorSpec sample;
  private final TensorSpec timestep;
  private final TensorSpec output;
  private final Input given;
  private final Steering steering;
  private final Optional<FeatureCut> cut;

  /**
   * Checks the network's latents, timestep and output, and that it takes just these conditions:
   * embeddings as real numbers, sizes, places and labels as any numbers.
   */
  OrtDenoiserModel(OrtModel model, String sampleName, Set<String> conditions) {
    this(model, sampleName, conditions, new Input(0, 1), Steering.NONE);
  }

  /** Likewise for a network that takes more than latents of any size. */
  OrtDenoiserModel(
      OrtModel model, String sampleName, Set<String> conditions, Input input, Steering steering) {
    this.model = model;
    this.changed = ChangedNetwork.none(model);
    this.steering = steering;
    this.cut = Optional.empty();
    this.given = input;
    this.sample = model.require(model.input(sampleName), FLOATS, Set.of(3, 4));
    this.timestep = model.require(model.input("timestep"), NUMBERS, Set.of(0, 1));
    this.output =
        model.require(model.output("out_" + sampleName, sampleName), FLOATS, Set.of(sample.rank()));
    Set<String> known = new HashSet<>(conditions);
    known.add(sample.name());
    known.add(timestep.name());
    input.adapter.ifPresent(adapter -> known.addAll(adapter.names()));
    steering
        .nets()
        .ifPresent(nets -> nets.residuals().specs().forEach(spec -> known.add(spec.name())));
    for (String name : conditions) {
      TensorSpec spec = model.input(name);
      model.require(spec, spec.rank() == 3 ? FLOATS : NUMBERS, Set.of(1, 2, 3));
    }
    model.requireNoOtherInputs(known);
  }

  private OrtDenoiserModel(
      OrtDenoiserModel other, ChangedNetwork changed, Steering steering, Optional<FeatureCut> cut) {
    model = other.model;
    this.changed = changed;
    given = other.given;
    sample = other.sample;
    timestep = other.timestep;
    output = other.output;
    this.steering = steering;
    this.cut = cut;
  }

  /** What the network is in its model, such as unet. */
  String component() {
    return model.component();
  }

  /** The latents' spec: NCHW, or without C where the network takes one channel of rows. */
  TensorSpec sample() {
    return sample;
  }

  private long[] dims(int rows, LatentShape shape) {
    if (sample.rank() == 4) {
      return new long[] {rows, shape.channels(), shape.height(), shape.width()};
    }
    if (shape.channels() != 1) {
      throw new IllegalArgumentException(
          "%s: input %s takes one channel, got %s".formatted(component(), sample, shape));
    }
    return new long[] {rows, shape.height(), shape.width()};
  }

  /** The spec of a condition. */
  TensorSpec condition(String name) {
    return model.input(name);
  }

  @Override
  public int extraChannels() {
    return given.extraChannels;
  }

  @Override
  public int sideMultiple() {
    return given.multiple;
  }

  @Override
  public RunSharing sharing() {
    if (sample.dim(0) > 0) {
      return RunSharing.NONE;
    }
    return timestep.rank() == 1 && timestep.dim(0) < 0
        ? RunSharing.ANY_TIMESTEPS
        : RunSharing.EQUAL_TIMESTEPS;
  }

  @Override
  public ImagePromptEncoder imagePrompts() {
    return given.adapter.isPresent() ? given.adapter.get() : ImagePromptEncoder.NONE;
  }

  @Override
  public List<String> controlNets() {
    return steering.nets().map(ControlNets::names).orElse(List.of());
  }

  @Override
  public DenoiserModel controlled(ControlSchedule schedule) {
    List<String> available = controlNets();
    for (ControlSchedule.Signal signal : schedule.signals()) {
      if (!available.contains(signal.net())) {
        throw new IllegalArgumentException(
            "%s has no control network \"%s\", it has %s"
                .formatted(component(), signal.net(), available));
      }
    }
    return new OrtDenoiserModel(
        this, changed, new Steering(steering.nets(), Optional.of(schedule)), Optional.empty());
  }

  @Override
  public DenoiserModel with(LoraSet loras) {
    loras.requireOnly(component());
    return loras.of(component()).isEmpty()
        ? this
        : new OrtDenoiserModel(this, ChangedNetwork.of(model, loras), steering, Optional.empty());
  }

  @Override
  public DenoiserModel reusing(FeatureReuse reuse) {
    if (!reuse.isOn() || !component().equals("unet")) {
      return DenoiserModel.super.reusing(reuse);
    }
    return new OrtDenoiserModel(
        this, changed, steering, Optional.of(FeatureCut.of(changed, reuse)));
  }

  @Override
  public Denoiser bind(
      Conditioning conditioning, LatentShape shape, BranchBatching batching, CancelToken cancel) {
    Rows rows =
        new Rows(
            conditioning,
            shape,
            rowsPerRun(conditioning.branches(), conditioning.batch(), batching),
            cancel);
    Optional<OrtModel> merged =
        steering
            .schedule()
            .flatMap(
                schedule ->
                    steering
                        .nets()
                        .get()
                        .merged(schedule, changed.model(), given.extraChannels == 0));
    return merged.isPresent()
        ? new Steered(rows, merged.get())
        : new Bound(changed.model(), rows, steering);
  }

  /** Rows of one run: a divisor of all rows that the network's batch dimension takes. */
  private int rowsPerRun(int branches, int batch, BranchBatching batching) {
    int wanted = batching == BranchBatching.TOGETHER ? branches * batch : batch;
    long fixed = sample.dim(0);
    if (fixed < 0 || fixed == wanted) {
      return wanted;
    }
    if (branches * batch % fixed != 0) {
      throw new IllegalArgumentException(
          "%s: the network takes exactly %d rows a run, which does not divide %d guidance branches x %d images; use another number of images or a model with a free batch dimension"
              .formatted(model.component(), fixed, branches, batch));
    }
    return (int) fixed;
  }

  private final class Bound implements Denoiser {

    private final OrtBinding binding;
    private final List<OrtTensor> in; // one for all runs, or one for each
    private final OrtTensor time;
    private final OrtTensor out;
    private final List<List<OrtTensor>> conditions = new ArrayList<>(); // by run, by input
    private final List<String> names;
    private final LatentShape shape;
    private final Rows rows;
    private final ControlInputs controls;
    private final NetworkRuns network;

    Bound(OrtModel network, Rows rows, Steering steering) {
      this.rows = rows;
      shape = rows.shape();
      Conditioning conditioning = rows.conditioning();
      List<Conditioning.Input> inputs = new ArrayList<>(conditioning.inputs());
      Optional<Conditioning.Input> extra = conditioning.find(Conditioning.EXTRA_CHANNELS);
      extra.ifPresent(inputs::remove);
      names = inputs.stream().map(Conditioning.Input::name).toList();
      binding = network.bindForSteps(rows.cancel());
      try {
        binding.change(changed.changes());
        in = samples(extra);
        time = binding.input(timestep.name(), rows.timeDims(timestep));
        out = binding.output(output.name(), dims(rows.each(), shape));
        for (int run = 0; run < rows.runs(); run++) {
          List<OrtTensor> tensors = new ArrayList<>();
          for (Conditioning.Input input : inputs) {
            tensors.add(rows.wrap(binding, input.name(), input, run * rows.each()));
          }
          conditions.add(tensors);
        }
        ControlledUnet unet = new ControlledUnet(binding, rows, in, extra.isEmpty());
        controls =
            steering
                .nets()
                .map(nets -> controls(network, steering, unet))
                .orElse(ControlInputs.NONE);
        this.network = cut.map(this::reusing).orElseGet(() -> NetworkRuns.of(binding));
      } catch (RuntimeException | Error e) {
        binding.close();
        throw e;
      }
    }

    private NetworkRuns reusing(FeatureCut features) {
      KeptFeatures runs = new KeptFeatures(features, binding, rows.runs(), rows.cancel());
      runs.above().use(timestep.name(), time);
      runs.above().write(output.name(), out);
      return runs;
    }

    /** The network's latents; extra channels are written here, once a generation. */
    private List<OrtTensor> samples(Optional<Conditioning.Input> extra) {
      int channels = extra.map(input -> input.rowShape().get(0)).orElse(0);
      if (channels != given.extraChannels) {
        throw new IllegalArgumentException(
            "%s: input %s takes %d channels beside the latents, the task gives %d"
                .formatted(model.component(), sample, given.extraChannels, channels));
      }
      LatentShape wide =
          new LatentShape(
              shape.batch(), shape.channels() + channels, shape.height(), shape.width());
      List<OrtTensor> tensors = new ArrayList<>();
      for (int run = 0; run < (extra.isPresent() ? rows.runs() : 1); run++) {
        OrtTensor tensor = binding.allocate(sample.name(), dims(rows.each(), wide));
        tensors.add(tensor);
        if (extra.isPresent()) {
          int each = extra.get().rowElements();
          for (int row = 0; row < rows.each(); row++) {
            int at = row * (shape.elements() + each) + shape.elements();
            tensor.put(extra.get().values(), (run * rows.each() + row) * each, at, each);
          }
        }
      }
      return tensors;
    }

    private ControlInputs controls(OrtModel network, Steering steering, ControlledUnet unet) {
      ControlNets nets = steering.nets().orElseThrow();
      if (steering.schedule().isEmpty()) {
        SeparateControls.none(nets.residuals(), unet);
        return ControlInputs.NONE;
      }
      ControlSchedule schedule = steering.schedule().get();
      return network == changed.model()
          ? new SeparateControls(nets, schedule, unet)
          : new MergedControls(
              nets.signatures(schedule), schedule, unet, network.inputs().keySet());
    }

    @Override
    public void predict(float[] latents, double timestep, float[] dst) {
      time.fill(timestep);
      run(latents, timestep, dst);
    }

    @Override
    public void predict(float[] latents, double[] timesteps, float[] dst) {
      if (sharing() != RunSharing.ANY_TIMESTEPS || rows.runs() != 1) {
        throw new UnsupportedOperationException(
            component() + " takes one timestep for all images of a run");
      }
      for (int row = 0; row < rows.each(); row++) {
        time.set(row, timesteps[row % shape.batch()]);
      }
      run(latents, timesteps[0], dst);
    }

    private void run(float[] latents, double timestep, float[] dst) {
      int perRun = rows.each() * shape.elements();
      boolean alike =
          in.size() == 1 && rows.each() % shape.batch() == 0; // whole branches in each run
      for (int run = 0; run < rows.runs(); run++) {
        OrtTensor samples = in.get(run % in.size());
        if (run == 0 || !alike) {
          rows.fill(samples, latents, run * rows.each());
        }
        OrtBinding next = network.next(run);
        next.use(sample.name(), samples);
        List<OrtTensor> tensors = conditions.get(run);
        for (int i = 0; i < tensors.size(); i++) {
          next.use(names.get(i), tensors.get(i));
        }
        controls.apply(run, latents, timestep);
        network.run(run);
        out.get(0, dst, run * perRun, perRun);
      }
    }

    @Override
    public void close() {
      try (binding;
          network) {
        controls.close();
      }
    }
  }

  /** One graph with the control networks where one of them counts, and the UNet alone elsewhere. */
  private final class Steered implements Denoiser {

    private final ControlSchedule schedule = steering.schedule().orElseThrow();
    private final Rows rows;
    private final Bound together;
    private Optional<Bound> alone = Optional.empty();

    Steered(Rows rows, OrtModel merged) {
      this.rows = rows;
      together = new Bound(merged, rows, steering);
    }

    @Override
    public void predict(float[] latents, double timestep, float[] dst) {
      if (schedule.counts()) {
        together.predict(latents, timestep, dst);
        return;
      }
      if (alone.isEmpty()) {
        Steering none = new Steering(steering.nets(), Optional.empty());
        alone = Optional.of(new Bound(changed.model(), rows, none));
      }
      alone.get().predict(latents, timestep, dst);
    }

    @Override
    public void close() {
      try (together) {
        alone.ifPresent(Bound::close);
      }
    }
  }
}
