using LlmStageAudit.Seals.Sealing;
using LlmStageAudit.Testing.Fuzzing;

namespace LlmStageAudit.Seals.Tests.Fuzzing;

public sealed class SealFuzzTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// A seal has one spelling: whatever differs from it by a byte is no sound seal, and reading says so without falling over it.
    /// </summary>
    [Fact]
    public void Damaged_seals_are_never_sound()
    {
        var whole = SealFile.BytesOf(Sample());
        var path = _folder.At("seal.json");
        new FuzzCampaign("seal.json", 40_000).Run(
            random => random.Next(20) == 0 ? whole : JsonMutator.Mutate(whole, random),
            bytes =>
            {
                File.WriteAllBytes(path, bytes);
                var reading = SealFile.Read(path);
                if (reading.Fault is { } fault) throw SealException.Differs(path, fault);
                Assert.Equal(2, reading.Sound.Count);
            },
            bytes => !bytes.AsSpan().SequenceEqual(whole),
            bytes => bytes.AsSpan().SequenceEqual(whole));
    }

    private static RunSeal Sample()
    {
        const string runId = "0123456789abcdef0123456789abcdef";
        var hash = new string('a', 64);
        var start = SealFile.Close(new SealEntry
        {
            Sequence = 1,
            Scope = SealScope.Start,
            Manifest = [new SealedSection("runId", hash)],
            Files = [new SealedFile("initial/adapter_model.safetensors", 8, hash)],
            PreviousSha256 = SealFile.Genesis(runId),
        });
        var stage = SealFile.Close(new SealEntry
        {
            Sequence = 2,
            Scope = SealScope.Stage,
            Stage = "first",
            StageIndex = 0,
            Manifest = [new SealedSection("stages[0]", hash)],
            Files = [new SealedFile("stages/01-first/state/adapter_model.safetensors", 8, hash)],
            Log = new SealedLog(
                "stages/01-first/trajectory.log", Records: 2, SizeBytes: 400, GradientBytes: 8, hash, MarkInterval: 1, [hash, hash]),
            PreviousSha256 = start.Sha256!,
        });
        return SealEntries.Join(runId, [start, stage]);
    }
}
