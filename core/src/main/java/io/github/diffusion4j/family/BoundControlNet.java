package io.github.diffusion4j.family;

import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.ControlSchedule;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtTensor;
import io.github.diffusion4j.onnx.TensorSpec;
import java.util.ArrayList;
import java.util.List;

/**
 * One control network in one generation: for each of the UNet's runs its inputs, wrapped once.
 * Reads the UNet's own latents where the two take them alike. Not thread-safe.
 */
final class BoundControlNet implements AutoCloseable {

  /**
   * The last rows of one run of the UNet: those that the network is asked about.
   *
   * @param first row among all rows
   * @param rows as many as the network is asked about, 0 for none
   * @param samples the UNet's latents of the whole run
   * @param shared whether these have no channels beside the latents
   */
  record Part(int first, Rows rows, OrtTensor samples, boolean shared) {
    int count() {
      return rows.each();
    }
  }

  private final ControlNet net;
  private final List<Part> parts;
  private final OrtBinding binding;
  private final List<OrtTensor> times = new ArrayList<>();
  private final List<String> conditionNames = new ArrayList<>();
  private final List<OrtTensor> samples = new ArrayList<>();
  private final List<OrtTensor> pictures = new ArrayList<>();
  private final List<List<OrtTensor>> conditions = new ArrayList<>();
  private final OrtTensor[] scale;
  private final boolean[] own;

  /** Wraps what stays; a part for each run, also for one that the network is not asked about. */
  BoundControlNet(ControlNet net, ControlSchedule.Signal signal, List<Part> parts) {
    this.net = net;
    this.parts = parts;
    own = new boolean[parts.size()];
    Rows rows = parts.get(0).rows();
    binding = net.model().bindForSteps(rows.cancel());
    try {
      scale = scale(net);
      rows.conditioning().inputs().stream()
          .map(Conditioning.Input::name)
          .filter(net.signature().inputs()::containsKey)
          .forEach(conditionNames::add);
      for (int run = 0; run < parts.size(); run++) {
        wrap(run, signal.picture());
      }
    } catch (RuntimeException | Error e) {
      binding.close();
      throw e;
    }
  }

  private OrtTensor[] scale(ControlNet net) {
    if (!net.signature().scales()) {
      return new OrtTensor[0];
    }
    long[] dims = new long[net.model().input(ControlNet.SCALE).rank()];
    java.util.Arrays.fill(dims, 1);
    return new OrtTensor[] {binding.input(ControlNet.SCALE, dims)};
  }

  private void wrap(int run, ImageTensor picture) {
    Part part = parts.get(run);
    List<OrtTensor> wrapped = new ArrayList<>();
    conditions.add(wrapped);
    if (part.count() == 0) {
      samples.add(part.samples());
      pictures.add(part.samples());
      times.add(part.samples());
      return;
    }
    samples.add(sample(run));
    TensorSpec timestep = net.model().input(ControlNet.TIMESTEP);
    times.add(binding.allocate(timestep.name(), part.rows().timeDims(timestep)));
    pictures.add(part.rows().picture(binding, ControlNet.PICTURE, picture, part.first()));
    for (String name : conditionNames) {
      Conditioning.Input input = part.rows().conditioning().input(name);
      wrapped.add(part.rows().wrap(binding, name, input, part.first()));
    }
  }

  private OrtTensor sample(int run) {
    Part part = parts.get(run);
    long[] dims = part.rows().dims();
    TensorSpec spec = net.model().input(ControlNet.SAMPLE);
    if (part.shared() && part.samples().type() == spec.type() && spec.accepts(dims)) {
      int before = part.samples().elements() - part.count() * part.rows().shape().elements();
      return binding.view(part.samples(), before, dims);
    }
    own[run] = true;
    return binding.allocate(spec.name(), dims);
  }

  /** What the network is and gives. */
  ControlNet.Signature signature() {
    return net.signature();
  }

  /** A tensor as large as one of the residuals. */
  OrtTensor allocate(int residual, long... shape) {
    return binding.output(signature().residuals().specs().get(residual).name(), shape);
  }

  /** The last rows of a tensor that holds a residual. */
  OrtTensor tail(OrtTensor whole, int from, long... shape) {
    return binding.view(whole, from, shape);
  }

  /**
   * Computes residuals.
   *
   * @param run of the UNet, with at least a row for this network
   * @param latents of one branch, as the UNet gets them
   * @param timestep in the model's units
   * @param factor that the network multiplies them by, if it does
   * @param into overwritten
   */
  void run(int run, float[] latents, double timestep, double factor, OrtTensor... into) {
    Part part = parts.get(run);
    if (own[run]) {
      part.rows().fill(samples.get(run), latents, part.first());
    }
    times.get(run).fill(timestep);
    binding.use(ControlNet.TIMESTEP, times.get(run));
    binding.use(ControlNet.SAMPLE, samples.get(run));
    binding.use(ControlNet.PICTURE, pictures.get(run));
    List<OrtTensor> told = conditions.get(run);
    for (int i = 0; i < told.size(); i++) {
      binding.use(conditionNames.get(i), told.get(i));
    }
    if (scale.length > 0) {
      scale[0].fill(factor);
    }
    List<TensorSpec> outputs = signature().residuals().specs();
    for (int i = 0; i < into.length; i++) {
      binding.write(outputs.get(i).name(), into[i]);
    }
    binding.run();
  }

  @Override
  public void close() {
    binding.close();
  }
}
