package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.scheduler.SchedulerRun;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * One generation's controls: what each network reads, and how much it counts now. Follows the
 * solver's run; for the thread of that run.
 */
public final class ControlSchedule {

  /**
   * What one network reads.
   *
   * @param net name of the network
   * @param picture values from 0 to 1: one for all images, or as many as divide them
   * @param control how much it counts, and when
   */
  public record Signal(String net, ImageTensor picture, Control control) {

    /** Checks that nothing is missing. */
    public Signal {
      requireNonNull(net, "net");
      requireNonNull(picture, "picture");
      requireNonNull(control, "control");
    }
  }

  private final List<Signal> signals;
  private final boolean guessMode;
  private final SchedulerRun run;
  private final int first;

  /**
   * A schedule that begins where the run is.
   *
   * @param signals what each network reads
   * @param guessMode as in {@link Controls}
   * @param run the solver before its first evaluation
   */
  public ControlSchedule(List<Signal> signals, boolean guessMode, SchedulerRun run) {
    this.signals = List.copyOf(signals);
    this.guessMode = guessMode;
    this.run = requireNonNull(run, "run");
    this.first = run.index();
  }

  /**
   * The schedule of a request's controls.
   *
   * @param request with nothing left open
   * @param model the denoiser, whose networks the controls take
   * @param run the solver before its first evaluation
   * @param view how the task sees pictures beside its own, such as cropped to the painted part
   * @return for {@link DenoiserModel#controlled}
   */
  public static ControlSchedule of(
      GenerationRequest request,
      DenoiserModel model,
      SchedulerRun run,
      UnaryOperator<PictureSource> view) {
    Controls controls = request.controls();
    List<String> nets = controls.nets(model.controlNets());
    int width = request.width().orElseThrow();
    int height = request.height().orElseThrow();
    List<Signal> signals = new ArrayList<>();
    for (int i = 0; i < nets.size(); i++) {
      Control control = controls.list().get(i);
      ImageTensor picture = view.apply(control.pictures()).levels(width, height);
      signals.add(new Signal(nets.get(i), picture, control));
    }
    return new ControlSchedule(signals, controls.guessMode(), run);
  }

  /**
   * What each network reads.
   *
   * @return at least one, unmodifiable
   */
  public List<Signal> signals() {
    return signals;
  }

  /**
   * Whether the networks leave the negative branch alone and count less in the finer residuals.
   *
   * @return as in {@link Controls}
   */
  public boolean guessMode() {
    return guessMode;
  }

  /**
   * Whether any network counts in the solver's present evaluation.
   *
   * @return false where the denoiser is not steered
   */
  public boolean counts() {
    for (int i = 0; i < signals.size(); i++) {
      if (scale(i) != 0) {
        return true;
      }
    }
    return false;
  }

  /**
   * How much a network counts in the solver's present evaluation: one that does not lie wholly
   * between start and end is left out.
   *
   * @param signal index of the network's signal
   * @return the control's scale, or 0
   */
  public double scale(int signal) {
    Control control = signals.get(signal).control();
    double all = run.evaluations() - first;
    int now = run.index() - first;
    boolean within = now / all >= control.start() && (now + 1) / all <= control.end();
    return within ? control.scale() : 0;
  }
}
