package io.github.diffusion4j.loop;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.ControlSchedule;
import io.github.diffusion4j.Denoiser;
import io.github.diffusion4j.DenoiserModel;
import io.github.diffusion4j.FeatureReuse;
import io.github.diffusion4j.GenerationBatching;
import io.github.diffusion4j.ImagePromptEncoder;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.RunSharing;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A denoiser whose runs are shared by generations of equal form that ask for one at the same time:
 * same latents' size, number of branches and widths of conditioning. Each keeps its own seed, steps
 * and solver. A generation that runs its branches one by one, reuses features, is steered by
 * pictures or changed by LoRAs of its own shares none.
 *
 * <p>The thread that has waited longest runs the network for itself and for those behind it; no
 * other threads are needed. A generation that is cancelled leaves a shared run at once, or at its
 * end if its own thread runs the network; the others go on. If a shared run fails, each of its
 * generations runs again alone, so that an error meets only the one that causes it, and the next
 * runs are shared by fewer. Thread-safe; owns nothing of the network's.
 */
public final class BatchingDenoiserModel implements DenoiserModel {

  private final DenoiserModel network;
  private final GenerationBatching batching;
  private final Map<RunForm, RunQueue> queues = new HashMap<>();

  /**
   * A sharing denoiser.
   *
   * @param network runs; not closed here
   * @param batching how many rows a run may have, and how long it waits for them
   */
  public BatchingDenoiserModel(DenoiserModel network, GenerationBatching batching) {
    this.network = requireNonNull(network, "network");
    this.batching = requireNonNull(batching, "batching");
  }

  @Override
  public Denoiser bind(
      Conditioning conditioning, LatentShape shape, BranchBatching branches, CancelToken cancel) {
    int rows = conditioning.branches() * conditioning.batch();
    if (network.sharing() == RunSharing.NONE
        || branches == BranchBatching.ONE_BY_ONE
        || rows >= batching.maxRows()) {
      return network.bind(conditioning, shape, branches, cancel);
    }
    Denoiser alone = network.bind(conditioning, shape, branches, cancel);
    RunForm form = RunForm.of(conditioning, shape);
    SharingDenoiser denoiser = new SharingDenoiser(this, form, alone, conditioning, shape, cancel);
    synchronized (queues) {
      RunQueue queue = queues.computeIfAbsent(form, key -> new RunQueue(network, batching));
      denoiser.join(queue);
    }
    denoiser.watch();
    return denoiser;
  }

  /** Takes a denoiser out of its queue, and the queue away with its last one. */
  void leave(SharingDenoiser denoiser, RunQueue queue) {
    synchronized (queues) {
      if (queue.remove(denoiser)) {
        queues.remove(denoiser.form(), queue);
      }
    }
  }

  @Override
  public DenoiserModel with(LoraSet loras) {
    DenoiserModel changed = network.with(loras);
    return changed == network ? this : changed;
  }

  @Override
  public int extraChannels() {
    return network.extraChannels();
  }

  @Override
  public int sideMultiple() {
    return network.sideMultiple();
  }

  @Override
  public RunSharing sharing() {
    return network.sharing();
  }

  @Override
  public ImagePromptEncoder imagePrompts() {
    return network.imagePrompts();
  }

  @Override
  public List<String> controlNets() {
    return network.controlNets();
  }

  @Override
  public DenoiserModel controlled(ControlSchedule schedule) {
    return network.controlled(schedule);
  }

  @Override
  public DenoiserModel reusing(FeatureReuse reuse) {
    return reuse.isOn() ? network.reusing(reuse) : this;
  }
}
