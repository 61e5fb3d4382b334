using System.Diagnostics;
using System.Globalization;
using System.Text;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.Testing.Fuzzing;

/// <summary>
/// Runs damaged inputs through a reader. Each must load soundly or fail with an <see cref="AuditException"/> of one line per fault,
/// within two seconds and a bounded allocation. STAGEAUDIT_FUZZ_SCALE multiplies the inputs (1 for the full count; a fiftieth by default);
/// STAGEAUDIT_FUZZ_REPORT names a file that gets a table row per campaign.
/// </summary>
internal sealed class FuzzCampaign(string name, int fullCount, long mostBytes = 8 << 20)
{
    private const long Seed = 20260726;
    private const int LongestMilliseconds = 2000;
    private const int LongestMessage = 4000;

    /// <summary>Some mutations double parts of an input many times; what a reader may allocate grows with it.</summary>
    private const long MostBytesPerByte = 64;

    private readonly int _count = Math.Max(1, (int)(fullCount * Scale()));

    /// <param name="mutate">Makes an input.</param>
    /// <param name="load">Loads it and checks what was loaded; throws what the reader throws.</param>
    /// <param name="mustFail">Whether an input breaks a rule, so that loading it is a fault; told apart from the reader.</param>
    /// <param name="mustLoad">Whether an input keeps all the rules, so that refusing it is a fault; null to expect nothing.</param>
    public void Run(
        Func<StableRandom, byte[]> mutate, Action<byte[]> load, Func<byte[], bool> mustFail, Func<byte[], bool>? mustLoad = null)
    {
        var random = StableRandom.For(Seed, "fuzz", name);
        var (loads, errors, slowest, largest) = (0, 0, TimeSpan.Zero, 0L);
        var kinds = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var round = 0; round < _count; round++)
        {
            var input = mutate(random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var (refusal, elapsed) = Load(load, input, round);
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

            // A machine that others use may stop a thread for seconds: then what counts is the time it computes.
            if (elapsed.TotalMilliseconds >= LongestMilliseconds)
            {
                var start = ThreadClock.Now;
                _ = Load(load, input, round);
                elapsed = ThreadClock.Now - start;
            }

            if (elapsed > slowest) slowest = elapsed;
            if (allocated > largest) largest = allocated;
            Assert.True(
                elapsed.TotalMilliseconds < LongestMilliseconds, $"{name} {round}: took {elapsed.TotalSeconds:0.0} s\n{Shown(input)}");
            Assert.True(
                allocated < Math.Max(mostBytes, MostBytesPerByte * input.Length),
                $"{name} {round}: allocated {allocated} bytes\n{Shown(input)}");
            if (refusal is null)
            {
                loads++;
                if (mustFail(input)) Assert.Fail($"{name} {round}: loaded although it breaks a rule\n{Shown(input)}");
                continue;
            }

            errors++;
            kinds[refusal.GetType().Name] = kinds.GetValueOrDefault(refusal.GetType().Name) + 1;
            var faults = (refusal as ConfigurationException)?.Faults ?? [refusal.Message];
            if (faults.Count is 0 or > 101) Assert.Fail($"{name} {round}: {faults.Count} faults\n{Shown(input)}");
            foreach (var fault in faults)
            {
                if (fault.Any(char.IsControl)) Assert.Fail($"{name} {round}: control characters in: {fault}\n{Shown(input)}");
                if (fault.Length > LongestMessage) Assert.Fail($"{name} {round}: a message of {fault.Length} characters\n{Shown(input)}");
            }

            if (mustLoad?.Invoke(input) == true) Assert.Fail($"{name} {round}: refused although sound: {refusal.Message}\n{Shown(input)}");
        }

        Report(loads, errors, slowest, largest);
        // A campaign in which nothing loads, or nothing fails, tests nothing.
        Assert.True(loads > _count / 100, $"{name}: only {loads} of {_count} inputs loaded");
        Assert.True(errors > _count / 100, $"{name}: only {errors} of {_count} inputs were refused");
    }

    private (AuditException? Refusal, TimeSpan Elapsed) Load(Action<byte[]> load, byte[] input, int round)
    {
        var began = Stopwatch.GetTimestamp();
        AuditException? refusal = null;
        try
        {
            load(input);
        }
        catch (AuditException fault)
        {
            refusal = fault;
        }
        catch (Exception fault)
        {
            Assert.Fail($"{name} {round}: {fault}\n{Shown(input)}");
        }

        return (refusal, Stopwatch.GetElapsedTime(began));
    }

    private static double Scale()
    {
        var text = Environment.GetEnvironmentVariable("STAGEAUDIT_FUZZ_SCALE");
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var scale) ? scale : 0.02;
    }

    private static string Shown(byte[] input) =>
        $"{Convert.ToBase64String(input)}\n{Encoding.UTF8.GetString(input, 0, Math.Min(input.Length, 2000))}";

    private void Report(int loads, int errors, TimeSpan slowest, long largest)
    {
        if (Environment.GetEnvironmentVariable("STAGEAUDIT_FUZZ_REPORT") is not { Length: > 0 } path) return;
        File.AppendAllText(path, string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {_count} | {loads} | {errors} | {slowest.TotalMilliseconds:0.0} ms | {largest / 1024.0:0} KiB |\n"));
    }
}
