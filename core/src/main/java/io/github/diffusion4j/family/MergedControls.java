package io.github.diffusion4j.family;

import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.ControlSchedule;
import io.github.diffusion4j.onnx.OrtTensor;
import io.github.diffusion4j.onnx.SteeredNetwork;
import io.github.diffusion4j.onnx.TensorSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Controls whose networks are one graph with the UNet: pictures are given once, scales before each
 * run. Not thread-safe.
 */
final class MergedControls implements ControlInputs {

  /** One of the networks: what it takes that the UNet does not, for each run. */
  private static final class Guest {
    private final List<String> names = new ArrayList<>();
    private final List<List<OrtTensor>> tensors = new ArrayList<>();
    private final List<OrtTensor> samples = new ArrayList<>(); // where they are not the UNet's
    private final List<OrtTensor> times = new ArrayList<>();
    private OrtTensor scales;
  }

  private final ControlledUnet unet;
  private final ControlSchedule schedule;
  private final List<ControlNet.Signature> nets;
  private final List<Guest> guests = new ArrayList<>();
  private final int residuals;
  private final boolean guess;
  private final float[] scales;

  /** Wraps what stays the same for all steps. */
  MergedControls(
      List<ControlNet.Signature> nets,
      ControlSchedule schedule,
      ControlledUnet unet,
      Set<String> inputs) {
    this.unet = unet;
    this.schedule = schedule;
    this.nets = nets;
    residuals = nets.get(0).residuals().count();
    guess = schedule.guessMode() || nets.get(0).pooled();
    scales = new float[residuals * unet.rows().each()];
    for (int k = 0; k < nets.size(); k++) {
      Guest guest = new Guest();
      guests.add(guest);
      guest.scales =
          unet.binding()
              .input(
                  SteeredNetwork.name(k, SteeredNetwork.SCALES),
                  residuals,
                  unet.rows().each(),
                  1,
                  1,
                  1);
      wrap(k, inputs);
    }
  }

  private void wrap(int k, Set<String> inputs) {
    Guest guest = guests.get(k);
    Rows rows = unet.rows();
    List<Conditioning.Input> told =
        rows.conditioning().inputs().stream()
            .filter(input -> inputs.contains(SteeredNetwork.name(k, input.name())))
            .toList();
    told.forEach(input -> guest.names.add(SteeredNetwork.name(k, input.name())));
    guest.names.add(SteeredNetwork.name(k, ControlNet.PICTURE));
    for (int run = 0; run < rows.runs(); run++) {
      List<OrtTensor> tensors = new ArrayList<>();
      for (int i = 0; i < told.size(); i++) {
        tensors.add(rows.wrap(unet.binding(), guest.names.get(i), told.get(i), run * rows.each()));
      }
      boolean same = run > 0 && rows.each() % rows.shape().batch() == 0;
      tensors.add(
          same
              ? guest.tensors.get(0).get(told.size())
              : rows.picture(
                  unet.binding(),
                  guest.names.get(told.size()),
                  schedule.signals().get(k).picture(),
                  run * rows.each()));
      guest.tensors.add(tensors);
    }
    String sample = SteeredNetwork.name(k, ControlNet.SAMPLE);
    if (inputs.contains(sample)) {
      guest.samples.add(unet.binding().input(sample, rows.dims()));
    }
    String timestep = SteeredNetwork.name(k, ControlNet.TIMESTEP);
    if (inputs.contains(timestep)) {
      TensorSpec spec = nets.get(k).inputs().get(ControlNet.TIMESTEP);
      guest.times.add(unet.binding().input(timestep, rows.timeDims(spec)));
    }
  }

  @Override
  public void apply(int run, float[] latents, double timestep) {
    Rows rows = unet.rows();
    for (int k = 0; k < guests.size(); k++) {
      Guest guest = guests.get(k);
      List<OrtTensor> tensors = guest.tensors.get(run);
      for (int i = 0; i < tensors.size(); i++) {
        unet.binding().use(guest.names.get(i), tensors.get(i));
      }
      if (!guest.samples.isEmpty()) {
        rows.fill(guest.samples.get(0), latents, run * rows.each());
      }
      if (!guest.times.isEmpty()) {
        guest.times.get(0).fill(timestep);
      }
      scale(k, run);
      guest.scales.put(scales);
    }
  }

  private void scale(int k, int run) {
    int rows = unet.rows().each();
    int silent = unet.silent(run, guess);
    float scale = (float) schedule.scale(k);
    boolean graded = guess && !nets.get(k).pooled();
    for (int i = 0; i < residuals; i++) {
      float here = graded ? ControlledUnet.grade(i, residuals) * scale : scale;
      for (int row = 0; row < rows; row++) {
        scales[i * rows + row] = row < silent ? 0 : here;
      }
    }
  }

  @Override
  public void close() {} // the UNet's binding owns the tensors
}
