package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.ControlSchedule;
import io.github.diffusion4j.Denoiser;
import io.github.diffusion4j.DenoiserModel;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.LatentCodec;
import io.github.diffusion4j.LatentDistribution;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.Stages;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A model that keeps what its networks are given and give; does not own what it wraps. */
final class RecordingStages implements DenoiserModel, LatentCodec {

  private final Stages stages;
  private DenoiserModel denoiser;
  final List<float[]> encoderInputs = new ArrayList<>();
  final List<LatentDistribution> encoded = new ArrayList<>();
  Conditioning conditioning;
  LatentShape shape;
  ControlSchedule control;
  float[] firstInput;
  float[] firstOutput;
  int rows; // of all evaluations

  RecordingStages(Stages stages) {
    this.stages = stages;
    this.denoiser = stages.denoiser();
  }

  Stages stages() {
    return new Stages(stages.encoder(), this, this, stages.rules(), stages.facts(), () -> {});
  }

  /** What the network saw first: for each branch and image the latents and the extra channels. */
  float[] firstSample() {
    Optional<Conditioning.Input> extra = conditioning.find(Conditioning.EXTRA_CHANNELS);
    int each = extra.map(Conditioning.Input::rowElements).orElse(0);
    int row = shape.elements() + each;
    float[] sample = new float[conditioning.branches() * shape.batch() * row];
    for (int i = 0; i < conditioning.branches() * shape.batch(); i++) {
      int image = i % shape.batch() * shape.elements();
      System.arraycopy(firstInput, image, sample, i * row, shape.elements());
      if (each > 0) {
        float[] values = extra.orElseThrow().values();
        System.arraycopy(values, i * each, sample, i * row + shape.elements(), each);
      }
    }
    return sample;
  }

  @Override
  public int extraChannels() {
    return stages.denoiser().extraChannels();
  }

  @Override
  public int sideMultiple() {
    return stages.denoiser().sideMultiple();
  }

  @Override
  public List<String> controlNets() {
    return denoiser.controlNets();
  }

  @Override
  public DenoiserModel controlled(ControlSchedule schedule) {
    control = schedule;
    denoiser = denoiser.controlled(schedule);
    return this;
  }

  @Override
  public Denoiser bind(
      Conditioning given, LatentShape latents, BranchBatching batching, CancelToken cancel) {
    conditioning = given;
    shape = latents;
    Denoiser bound = denoiser.bind(given, latents, batching, cancel);
    return new Denoiser() {
      @Override
      public void predict(float[] x, double timestep, float[] dst) {
        bound.predict(x, timestep, dst);
        rows += given.branches() * given.batch();
        if (firstInput == null) {
          firstInput = x.clone();
          firstOutput = dst.clone();
        }
      }

      @Override
      public void close() {
        bound.close();
      }
    };
  }

  @Override
  public boolean encodes() {
    return stages.codec().encodes();
  }

  @Override
  public LatentDistribution encode(ImageTensor images, CancelToken cancel) {
    encoderInputs.add(images.values().clone());
    LatentDistribution distribution = stages.codec().encode(images, cancel);
    encoded.add(distribution);
    return distribution;
  }

  @Override
  public void scale(float[] latents, LatentShape shape) {
    stages.codec().scale(latents, shape);
  }

  @Override
  public int factor() {
    return stages.codec().factor();
  }

  @Override
  public int latentChannels() {
    return stages.codec().latentChannels();
  }

  @Override
  public ImageTensor decode(float[] latents, LatentShape latentShape, CancelToken cancel) {
    return stages.codec().decode(latents, latentShape, cancel);
  }

  @Override
  public long decodeBytes(int width, int height) {
    return stages.codec().decodeBytes(width, height);
  }
}
