using System.Globalization;
using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.Cli.Tests.Tampering;

/// <summary>
/// Single bits flipped anywhere in a sealed run, and edits made on purpose: verify-log must find every one, name the file and the record,
/// and blame nothing else. What it must name is worked out here from the untouched bytes. <c>STAGEAUDIT_TAMPER_FLIPS</c> and
/// <c>STAGEAUDIT_TAMPER_EDITS</c> say how many; <c>STAGEAUDIT_TAMPER_REPORT</c> names a file for the counts.
/// </summary>
public sealed class TamperCampaignTests(TamperedRun run) : IClassFixture<TamperedRun>
{
    [Fact]
    public void The_untouched_run_is_intact()
    {
        var said = CommandLine.Json("verify-log", run.At(), "--inputs");
        Assert.True(said.GetProperty("intact").GetBoolean());
        Assert.Equal(("whole", 3 * TamperedRun.StepsPerStage), (said.Text("sealed"), said.Count("records")));
        Assert.Equal(0, said.Count("replayed"));
        Assert.Empty(said.List("findings"));
    }

    [Fact]
    public void Every_flipped_bit_is_found_with_its_file_and_record()
    {
        var random = StableRandom.For(23, "flips");
        var sizes = run.Names.Select(name => new FileInfo(run.At(name)).Length).ToArray();
        var (count, total) = (Count("STAGEAUDIT_TAMPER_FLIPS", 60), sizes.Sum());
        var tally = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            var at = (long)(random.NextDouble() * total);
            var file = 0;
            for (; at >= sizes[file]; file++) at -= sizes[file];
            var bit = random.Next(8);
            Flip(run.Names[file], at, bit);
            var kind = KindOf(run.Names[file]);
            tally[kind] = tally.GetValueOrDefault(kind) + 1;
        }

        foreach (var (kind, flips) in tally) Report($"| bit flips | {kind} | {flips} | {flips} |");
    }

    [Fact]
    public void Every_kind_of_file_has_bits_that_are_found()
    {
        // So that small files, which chance leaves out, take part too.
        var random = StableRandom.For(24, "each file");
        foreach (var name in run.Names) Flip(name, random.Next((int)new FileInfo(run.At(name)).Length), random.Next(8));
    }

    [Fact]
    public void Every_edit_on_purpose_is_found_with_its_file_and_record()
    {
        var random = StableRandom.For(25, "edits");
        var kinds = StructuralEdits.Kinds;
        var count = Count("STAGEAUDIT_TAMPER_EDITS", kinds.Count);
        var tally = new int[kinds.Count];
        for (var i = 0; i < count; i++)
        {
            var (name, apply) = kinds[i % kinds.Count];
            try
            {
                var expected = apply(run, random);
                AssertFound($"{name} ({i})", Verify(), expected);
                tally[i % kinds.Count]++;
            }
            finally
            {
                run.Restore();
            }
        }

        foreach (var (kind, edits) in kinds.Zip(tally)) Report($"| edits | {kind.Name} | {edits} | {edits} |");
    }

    private void Flip(string name, long at, int bit)
    {
        var record = name.EndsWith(".log", StringComparison.Ordinal) ? LogSurgery.Open(run.At(name)).RecordAt(at) : null;
        var bytes = File.ReadAllBytes(run.At(name));
        try
        {
            bytes[at] ^= (byte)(1 << bit);
            File.WriteAllBytes(run.At(name), bytes);
            var findings = Verify();
            AssertFound($"{name}, byte {at}, bit {bit}", findings, [new Expectation(name, record, "changed") { IsAlone = true }]);
            Assert.All(findings, finding => Assert.Equal(name, finding.File));
        }
        finally
        {
            bytes[at] ^= (byte)(1 << bit);
            File.WriteAllBytes(run.At(name), bytes);
        }
    }

    private TamperFinding[] Verify()
    {
        var outcome = CommandLine.Run("verify-log", run.At(), "--json");
        Assert.True(outcome.ExitCode == 4, $"exit {outcome.ExitCode}\n{outcome.Output}\n{outcome.Error}");
        Assert.False(outcome.Json.GetProperty("intact").GetBoolean());
        return [.. outcome.Json.List("findings").Select(TamperFinding.Of)];
    }

    private static void AssertFound(string what, TamperFinding[] findings, Expectation[] expected)
    {
        var all = string.Join("\n  ", findings.Select(finding => finding.ToString()));
        foreach (var expectation in expected)
        {
            Assert.True(findings.Any(finding => finding.Fulfils(expectation)), $"{what}: expected {expectation}; found\n  {all}");
            var others = findings.Where(finding => finding.File == expectation.File && finding.Record != expectation.Record);
            Assert.True(!expectation.IsAlone || !others.Any(), $"{what}: expected {expectation} alone; found\n  {all}");
        }
    }

    private static string KindOf(string name) => name switch
    {
        "manifest.json" or "seal.json" => name,
        _ when name.EndsWith(".log", StringComparison.Ordinal) => "trajectory logs",
        _ when name.EndsWith(".safetensors", StringComparison.Ordinal) => "states (safetensors)",
        _ => "adapter configurations and their READMEs",
    };

    private static int Count(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? count
            : otherwise;

    private static void Report(string row)
    {
        if (Environment.GetEnvironmentVariable("STAGEAUDIT_TAMPER_REPORT") is { Length: > 0 } path) File.AppendAllText(path, row + "\n");
    }
}
