package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.FeatureReuse;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.LoraInputs;
import io.github.diffusion4j.Residency;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.family.MemoryNeeds.Work;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Estimates against measurements (docs/memory.md), and what they count. */
class MemoryNeedsTest {

  private static final double GIB = 1L << 30;
  private static final Work PICTURE = new Work(512, 512, 1, 2);

  /** Of Stable Diffusion 1.5, exported. */
  private static final MemoryNeeds NEEDS =
      new MemoryNeeds(
          Map.of(
              "text_encoder", 4 * 123_060_480L,
              "unet", 4 * 859_520_964L,
              "vae_decoder", 4 * 49_490_199L,
              "vae_encoder", 4 * 34_163_664L),
          new DenoiserMemory(
              List.of(
                  new DenoiserMemory.Level(1, 0, 320, 8),
                  new DenoiserMemory.Level(4, 0, 640, 8),
                  new DenoiserMemory.Level(16, 0, 1280, 8)),
              1),
          new MemoryNeeds.Decoder(8, 2L * 4 * 128, 4));

  @ParameterizedTest
  @CsvSource({"ALL,TOGETHER,7.14", "ON_DEMAND,TOGETHER,5.60", "ON_DEMAND,ONE_BY_ONE,4.51"})
  void plansAreNearWhatWasMeasured(Residency residency, BranchBatching batching, double measured) {
    double estimate = NEEDS.peak(new MemoryPlan(residency, batching, false), PICTURE) / GIB;
    assertTrue(estimate > measured / 1.33 && estimate < measured * 1.33, "got " + estimate);
  }

  /** The process with the decoder alone took 1.37 GiB. */
  @Test
  void decodingIsNearWhatWasMeasured() {
    double base = MemoryNeeds.BASE + NEEDS.decoderWeights();
    double estimate = (base + NEEDS.decoding(PICTURE, false)) / GIB;
    assertTrue(estimate > 1.37 / 1.2 && estimate < 1.37 * 1.2, "got " + estimate);
  }

  @ParameterizedTest
  @CsvSource({"256", "512", "1024", "2048"})
  void plansAndTilesCountTheSameForDecoding(int side) {
    double cells = (side / 8.0) * (side / 8.0);
    assertEquals(
        (long) new TilePlan.Memory(2L * 4 * 128, 4).likely(cells, 8),
        NEEDS.decoding(new Work(side, side, 1, 2), false));
  }

  @Test
  void halvesThatShareTheirWeightsCount() throws IOException {
    ModelLayout layout = ModelLayout.of(Goldens.resource("/goldens/pipelines/weights/sd15"));
    assertEquals(
        List.of("text_encoder", "unet", "vae_decoder", "vae_encoder"), layout.networkNames());
    MemoryNeeds needs = MemoryNeeds.of(layout);
    assertTrue(needs.decoderWeights() > 0);
    Map<String, Long> weights = needs.weights();
    assertEquals(
        weights.get("text_encoder") + weights.get("unet") + needs.decoderWeights(),
        needs.alwaysResident());
  }

  @Test
  void networksThatLorasHaveOpenedOnceMoreCountTwice() throws IOException {
    RuntimeOptions options = RuntimeOptions.defaults();
    ModelLayout layout = ModelLayout.of(Goldens.resource("/goldens/pipelines/sd15/model"));
    MemoryNeeds plain = MemoryNeeds.of(layout);
    MemoryNeeds changed = plain.changedByLoras(layout, options);
    long again = plain.weights().get("text_encoder") + plain.weights().get("unet");
    assertEquals(plain.alwaysResident() + again, changed.alwaysResident());
    MemoryPlan onDemand = new MemoryPlan(Residency.ON_DEMAND, BranchBatching.TOGETHER, false);
    assertEquals(plain.peak(onDemand, PICTURE), changed.peak(onDemand, PICTURE));
    assertEquals(changed, plain.keeping(changed));

    ModelLayout sd3 = ModelLayout.of(Goldens.resource("/goldens/pipelines/weights/sd3"));
    MemoryNeeds built = MemoryNeeds.of(sd3);
    RuntimeOptions always = options.toBuilder().loraInputs(LoraInputs.ALWAYS).build();
    assertEquals(
        List.of("changed text_encoder_3"), // T5
        added(built, built.changedByLoras(sd3, always)));
    assertEquals(4, added(built, built.changedByLoras(sd3, options)).size(), "all are small");
  }

  private static List<String> added(MemoryNeeds before, MemoryNeeds after) {
    return after.weights().keySet().stream()
        .filter(name -> !before.weights().containsKey(name))
        .toList();
  }

  @Test
  void layersThatReuseFeaturesCountBesideTheWholeUNet() throws IOException {
    ModelLayout layout = ModelLayout.of(Goldens.resource("/goldens/pipelines/weights/sd15"));
    MemoryNeeds plain = MemoryNeeds.of(layout);
    assertEquals(plain, plain.reusing(layout, RuntimeOptions.defaults(), FeatureReuse.OFF));
    MemoryNeeds reusing = plain.reusing(layout, RuntimeOptions.defaults(), FeatureReuse.every(3));
    long above = reusing.weights().get("unet above branch 0");
    assertTrue(above > 0 && above < plain.weights().get("unet") / 2, "got " + above);
    assertEquals(plain.alwaysResident() + above, reusing.alwaysResident());
    for (MemoryPlan plan : MemoryPlan.ALL) {
      long denoising = plain.denoising(PICTURE, plan.batching());
      assertEquals(2 * denoising, reusing.denoising(PICTURE, plan.batching()), 1);
      assertTrue(reusing.peak(plan, PICTURE) >= plain.peak(plan, PICTURE));
    }
    MemoryPlan all = MemoryPlan.ALL.get(0);
    long more = reusing.peak(all, PICTURE) - plain.peak(all, PICTURE);
    assertEquals(above + plain.denoising(PICTURE, all.batching()), more, 1);
    long below =
        plain.reusing(layout, RuntimeOptions.defaults(), new FeatureReuse(3, 1)).alwaysResident();
    assertTrue(below > reusing.alwaysResident(), "more layers");
    assertThrows(
        IllegalArgumentException.class,
        () -> plain.reusing(layout, RuntimeOptions.defaults(), new FeatureReuse(3, 99)));
  }

  @Test
  void theSafetyCheckerIsOneOfTheNetworksOnDemand() {
    MemoryNeeds checked =
        new MemoryNeeds(
            Map.of("unet", 1L, "safety_checker", 1L << 40), NEEDS.denoiser(), NEEDS.decoder());
    assertEquals(Set.of("unet", "safety_checker"), checked.weights().keySet());
    MemoryPlan onDemand = new MemoryPlan(Residency.ON_DEMAND, BranchBatching.TOGETHER, false);
    assertEquals(MemoryNeeds.BASE + (1L << 40), checked.peak(onDemand, PICTURE));
    MemoryPlan all = new MemoryPlan(Residency.ALL, BranchBatching.TOGETHER, false);
    assertTrue(checked.peak(all, PICTURE) > MemoryNeeds.BASE + (1L << 40));
  }
}
