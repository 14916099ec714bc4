package io.github.diffusion4j.loop;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.Denoiser;
import io.github.diffusion4j.DenoiserModel;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.RunSharing;
import java.util.ArrayList;
import java.util.List;

/**
 * The network bound to the rows of several generations, for as long as these run together: branch
 * by branch the images of one after those of the other. For one thread at a time.
 */
final class SharedRun implements AutoCloseable {

  private final List<SharingDenoiser> members;
  private final CancelToken cancel = new CancelToken();
  private final boolean anyTimestep;
  private final int elements; // of one image's latents
  private final float[] latents;
  private final double[] timesteps;
  private final float[] output;
  private final Denoiser denoiser;

  SharedRun(DenoiserModel network, List<SharingDenoiser> group) {
    members = List.copyOf(group);
    anyTimestep = network.sharing() == RunSharing.ANY_TIMESTEPS;
    RunForm form = members.get(0).form();
    int images = members.stream().mapToInt(SharingDenoiser::images).sum();
    LatentShape shape = new LatentShape(images, form.channels(), form.height(), form.width());
    elements = shape.elements();
    latents = new float[shape.total()];
    timesteps = new double[images];
    output = new float[Math.multiplyExact(form.branches(), latents.length)];
    denoiser = network.bind(joined(images), shape, BranchBatching.TOGETHER, cancel);
  }

  private Conditioning joined(int images) {
    Conditioning first = members.get(0).conditioning();
    List<Conditioning.Input> inputs = new ArrayList<>();
    for (int i = 0; i < first.inputs().size(); i++) {
      Conditioning.Input input = first.inputs().get(i);
      inputs.add(
          input.shared()
              ? input
              : new Conditioning.Input(
                  input.name(), rows(i, first.branches() * images), input.rowShape()));
    }
    return new Conditioning(first.branches(), images, inputs);
  }

  private float[] rows(int input, int count) {
    Conditioning.Input like = members.get(0).conditioning().inputs().get(input);
    int row = like.rowElements();
    float[] values = new float[Math.multiplyExact(count, row)];
    int at = 0;
    for (int branch = 0; branch < members.get(0).conditioning().branches(); branch++) {
      for (SharingDenoiser member : members) {
        int length = member.images() * row;
        float[] own = member.conditioning().inputs().get(input).values();
        System.arraycopy(own, branch * length, values, at, length);
        at += length;
      }
    }
    return values;
  }

  /** Whether it is for just these, in this order. */
  boolean isOf(List<SharingDenoiser> group) {
    if (group.size() != members.size()) {
      return false;
    }
    for (int i = 0; i < group.size(); i++) {
      if (group.get(i) != members.get(i)) {
        return false;
      }
    }
    return true;
  }

  boolean has(SharingDenoiser member) {
    return members.contains(member);
  }

  /** Stops the run if nobody waits for it any more. */
  void cancelIfAllAre() {
    for (int i = 0; i < members.size(); i++) {
      if (!members.get(i).isCancelled()) {
        return;
      }
    }
    cancel.cancel();
  }

  /** Runs the members' calls. */
  void predict() {
    int image = 0;
    for (int i = 0; i < members.size(); i++) {
      SharingDenoiser member = members.get(i);
      System.arraycopy(member.latents, 0, latents, image * elements, member.images() * elements);
      for (int end = image + member.images(); image < end; image++) {
        timesteps[image] = member.timestep;
      }
    }
    if (anyTimestep) {
      denoiser.predict(latents, timesteps, output);
    } else {
      denoiser.predict(latents, timesteps[0], output);
    }
    int at = 0;
    for (int branch = 0; branch < members.get(0).form().branches(); branch++) {
      for (int i = 0; i < members.size(); i++) {
        SharingDenoiser member = members.get(i);
        int length = member.images() * elements;
        System.arraycopy(output, at, member.dst, branch * length, length);
        at += length;
      }
    }
  }

  @Override
  public void close() {
    denoiser.close();
  }
}
