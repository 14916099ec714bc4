package io.github.diffusion4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.RuntimeOptions.Optimization;
import io.github.diffusion4j.RuntimeOptions.Precision;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RuntimeOptionsTest {
  @Test
  void defaultsAreAutomatic() {
    RuntimeOptions options = RuntimeOptions.defaults();
    assertEquals(ExecutionProvider.auto(), options.provider());
    assertEquals(0, options.intraOpThreads());
    assertEquals(Optimization.ALL, options.optimization());
    assertTrue(options.memoryArena() && !options.memoryPattern() && options.spinning());
    assertEquals(Optional.empty(), options.optimizedModelCache());
    assertEquals(RuntimeOptions.builder().build(), options);
  }

  @Test
  void toBuilderKeepsEverything() {
    RuntimeOptions options =
        new RuntimeOptions(
            ExecutionProvider.cuda(1),
            3,
            2,
            Optimization.BASIC,
            false,
            false,
            Optional.of(Path.of("cache")),
            false,
            true,
            1000,
            Precision.FLOAT16,
            false,
            LoraInputs.ALWAYS,
            RuntimeOptions.ControlPlacement.MERGED,
            SafetyPolicy.BLUR,
            Residency.ON_DEMAND,
            3L << 30,
            VaeTiling.ON,
            new GenerationBatching(8, Duration.ofMillis(5)),
            new ConcurrencyLimit(2, 7),
            Map.of("a", "1", "b", "2"));
    assertEquals(options, options.toBuilder().build());
    RuntimeOptions changed =
        options.toBuilder()
            .provider(ExecutionProvider.cpu())
            .intraOpThreads(4)
            .interOpThreads(0)
            .optimization(Optimization.NONE)
            .memoryArena(true)
            .memoryPattern(true)
            .optimizedModelCache(Path.of("other"))
            .spinning(true)
            .deterministic(false)
            .promptCacheBytes(0)
            .precision(Precision.STORED)
            .winograd(true)
            .loraInputs(LoraInputs.ON_DEMAND)
            .controls(RuntimeOptions.ControlPlacement.MERGED)
            .safety(SafetyPolicy.OFF)
            .residency(Residency.ALL)
            .memoryLimit(0)
            .vaeTiling(VaeTiling.OFF.withTileSize(256))
            .batching(4, Duration.ZERO)
            .maxConcurrent(1, 0)
            .sessionConfig("c", "3")
            .build();
    assertEquals(
        new RuntimeOptions(
            ExecutionProvider.cpu(),
            4,
            0,
            Optimization.NONE,
            true,
            true,
            Optional.of(Path.of("other")),
            true,
            false,
            0,
            Precision.STORED,
            true,
            LoraInputs.ON_DEMAND,
            RuntimeOptions.ControlPlacement.MERGED,
            SafetyPolicy.OFF,
            Residency.ALL,
            0,
            VaeTiling.OFF.withTileSize(256),
            new GenerationBatching(4, Duration.ZERO),
            new ConcurrencyLimit(1, 0),
            Map.of("a", "1", "b", "2", "c", "3")),
        changed);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, RuntimeOptions.MAX_THREADS + 1, Integer.MIN_VALUE})
  void threadsOutOfRangeAreNamed(int threads) {
    RuntimeOptions.Builder intra = RuntimeOptions.builder().intraOpThreads(threads);
    RuntimeOptions.Builder inter = RuntimeOptions.builder().interOpThreads(threads);
    assertEquals(
        "intraOpThreads must be 0 (automatic) to 1024, found " + threads,
        assertThrows(IllegalArgumentException.class, intra::build).getMessage());
    assertEquals(
        "interOpThreads must be 0 (automatic) to 1024, found " + threads,
        assertThrows(IllegalArgumentException.class, inter::build).getMessage());
  }

  @Test
  void configIsCopiedSortedAndChecked() {
    Map<String, String> raw = new HashMap<>(Map.of("z", "1", "a", "2"));
    ExecutionProvider.Cuda cuda = ExecutionProvider.cuda().withOptions(raw);
    raw.put("m", "3");
    assertEquals("{a=2, z=1}", cuda.options().toString());
    assertThrows(UnsupportedOperationException.class, () -> cuda.options().put("x", "y"));
    RuntimeOptions.Builder blank = RuntimeOptions.builder().sessionConfig(" ", "1");
    assertThrows(IllegalArgumentException.class, blank::build);
  }

  @Test
  void limitsOutOfRangeAreRefused() {
    Duration negative = Duration.ofMillis(-1);
    assertThrows(IllegalArgumentException.class, () -> new ConcurrencyLimit(0, 1));
    assertThrows(IllegalArgumentException.class, () -> new ConcurrencyLimit(1, -1));
    assertThrows(IllegalArgumentException.class, () -> new GenerationBatching(-1, Duration.ZERO));
    assertThrows(IllegalArgumentException.class, () -> new GenerationBatching(4, negative));
  }
}
