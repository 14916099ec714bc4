package io.github.diffusion4j.family;

import io.github.diffusion4j.ControlSchedule;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.OrtTensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The residuals of one generation. The first network that counts in a step writes them into the
 * very buffers that the UNet reads; what further networks give is added. Where none counts they are
 * zero, and no network runs. Not thread-safe.
 */
final class SeparateControls implements ControlInputs {

  /** Residuals of one run, or of all in turn. */
  private static final class Buffers {
    private final OrtTensor[] whole; // what the UNet reads
    private OrtTensor[] told; // its rows that networks are asked about
    private final OrtTensor[][] scratch = new OrtTensor[2][]; // of further networks, by pooling
    private boolean zero = true;

    Buffers(OrtTensor... whole) {
      this.whole = whole;
      this.told = whole;
    }
  }

  private final ControlledUnet unet;
  private final Residuals residuals;
  private final ControlSchedule schedule;
  private final boolean guess;
  private final List<BoundControlNet> nets = new ArrayList<>();
  private final List<BoundControlNet.Part> parts;
  private final List<Buffers> buffers = new ArrayList<>();
  private final Closer owned;

  /** Opens the networks that are not open yet, and wraps what stays the same for all steps. */
  SeparateControls(ControlNets available, ControlSchedule schedule, ControlledUnet unet) {
    this.unet = unet;
    this.residuals = available.residuals();
    this.schedule = schedule;
    List<ControlNet> open =
        schedule.signals().stream().map(signal -> available.open(signal.net())).toList();
    guess = schedule.guessMode() || open.get(0).signature().pooled();
    parts = parts();
    try (Closer opening = new Closer()) {
      for (int i = 0; i < open.size(); i++) {
        nets.add(opening.own(new BoundControlNet(open.get(i), schedule.signals().get(i), parts)));
      }
      for (int set = 0; set < (guess ? parts.size() : 1); set++) {
        buffers.add(buffers(parts.get(set)));
      }
      owned = opening.release();
    }
  }

  /** Gives a UNet residuals of zero for a whole generation. */
  static void none(Residuals residuals, ControlledUnet unet) {
    for (int i = 0; i < residuals.count(); i++) {
      long[] shape = residuals.shape(i, unet.rows().each(), unet.rows().shape());
      unet.binding().input(residuals.specs().get(i).name(), shape);
    }
  }

  private List<BoundControlNet.Part> parts() {
    Rows rows = unet.rows();
    List<BoundControlNet.Part> all = new ArrayList<>();
    for (int run = 0; run < rows.runs(); run++) {
      int silent = unet.silent(run, guess);
      OrtTensor samples = unet.samples().get(run % unet.samples().size());
      all.add(
          new BoundControlNet.Part(
              run * rows.each() + silent, rows.with(rows.each() - silent), samples, unet.plain()));
    }
    return all;
  }

  private long[] shape(int residual, int rows, boolean average) {
    long[] shape = residuals.shape(residual, rows, unet.rows().shape());
    return average ? new long[] {shape[0], shape[1], 1, 1} : shape;
  }

  private Buffers buffers(BoundControlNet.Part part) {
    int rows = unet.rows().each();
    OrtTensor[] whole = new OrtTensor[residuals.count()];
    for (int i = 0; i < whole.length; i++) {
      whole[i] = unet.binding().allocate(residuals.specs().get(i).name(), shape(i, rows, false));
    }
    Buffers set = new Buffers(whole);
    if (part.count() > 0 && part.count() < rows) {
      set.told = new OrtTensor[whole.length];
      for (int i = 0; i < whole.length; i++) {
        int silent = whole[i].elements() / rows * (rows - part.count());
        set.told[i] = nets.get(0).tail(whole[i], silent, shape(i, part.count(), false));
      }
    }
    for (int net = 0; net < nets.size() && part.count() > 0; net++) {
      boolean average = nets.get(net).signature().pooled();
      if (net > 0 || average) {
        scratch(set, nets.get(net), part.count());
      }
    }
    return set;
  }

  private void scratch(Buffers set, BoundControlNet net, int rows) {
    boolean average = net.signature().pooled();
    int kind = average ? 1 : 0;
    if (set.scratch[kind] == null) {
      set.scratch[kind] = new OrtTensor[residuals.count()];
      for (int i = 0; i < residuals.count(); i++) {
        set.scratch[kind][i] = net.allocate(i, shape(i, rows, average));
      }
    }
  }

  /** Computes the residuals of one of the UNet's runs and gives them to it. */
  @Override
  public void apply(int run, float[] latents, double timestep) {
    Buffers set = buffers.get(run % buffers.size());
    boolean any = false;
    for (int net = 0; net < nets.size() && parts.get(run).count() > 0; net++) {
      double scale = schedule.scale(net);
      if (scale != 0) {
        BoundControlNet bound = nets.get(net);
        boolean average = bound.signature().pooled();
        boolean direct = !any && !average; // averages are spread over all places
        OrtTensor[] into = direct ? set.told : set.scratch[average ? 1 : 0];
        boolean graded = guess && !average;
        bound.run(run, latents, timestep, graded ? 1 : scale, into);
        if (graded || !bound.signature().scales()) {
          multiply(into, scale, graded);
        }
        if (!direct) {
          add(set, into, any);
        }
        any = true;
      }
    }
    if (!any && !set.zero) {
      clear(set);
    }
    set.zero = !any;
    for (int i = 0; i < set.whole.length; i++) {
      unet.binding().use(residuals.specs().get(i).name(), set.whole[i]);
    }
  }

  private static void multiply(OrtTensor[] tensors, double scale, boolean graded) {
    for (int i = 0; i < tensors.length; i++) {
      float grade = graded ? ControlledUnet.grade(i, tensors.length) : 1f;
      tensors[i].multiply(grade * (float) scale);
    }
  }

  private static void add(Buffers set, OrtTensor[] more, boolean any) {
    if (!any) {
      clear(set);
    }
    for (int i = 0; i < more.length; i++) {
      set.told[i].add(more[i]);
    }
  }

  private static void clear(Buffers set) {
    for (OrtTensor tensor : set.told) {
      tensor.fill(0);
    }
  }

  @Override
  public void close() {
    owned.close();
  }
}
