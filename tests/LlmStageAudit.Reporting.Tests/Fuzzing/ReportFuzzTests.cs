using System.Text.Json;
using System.Xml;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Verifications;
using LlmStageAudit.Testing.Fuzzing;

namespace LlmStageAudit.Reporting.Tests.Fuzzing;

/// <summary>Records that were changed and still read as records: the page about them is whole, whatever they say.</summary>
public sealed class ReportFuzzTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("report-fuzz-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Pages_about_damaged_records_are_well_formed()
    {
        var whole = SampleAudit.Inputs();
        var small = whole with
        {
            Effects = [Small(whole.Effects[0])],
            Verifications =
            [
                whole.Verifications[0] with
                {
                    Stages =
                    [
                        .. whole.Verifications[0].Stages.Select(
                            stage => stage with { PredictedPerExample = [1, 2, 3], MeasuredPerExample = [1, 2, 4], Examples = 3 }),
                    ],
                },
            ],
            Steps = [.. whole.Steps.Take(6)],
        };
        var seeds = (byte[][])[Bytes(small.Run), Bytes(small.Effects[0]), Bytes(small.Rankings[0]), Bytes(small.Verifications[0])];
        new FuzzCampaign("report of damaged records", 20_000, mostBytes: 64 << 20).Run(
            random =>
            {
                var kind = random.Next(seeds.Length);
                return [(byte)kind, .. JsonMutator.Mutate(seeds[kind], random)];
            },
            bytes =>
            {
                var path = Path.Combine(_folder, "it.json");
                File.WriteAllBytes(path, bytes[1..]);
                Check(HtmlReport.Render(bytes[0] switch
                {
                    0 => small with { Run = ArtifactJson.Read<RunManifest>(path) },
                    1 => small with { Effects = [ArtifactJson.Read<EffectsArtifact>(path)] },
                    2 => small with { Rankings = [ArtifactJson.Read<RankingArtifact>(path)] },
                    _ => small with { Verifications = [ArtifactJson.Read<VerificationArtifact>(path)] },
                }));
            },
            _ => false);
    }

    private static EffectsArtifact Small(EffectsArtifact effects) => effects with
    {
        Observed = effects.Observed with { Examples = [.. effects.Observed.Examples.Take(3)] },
        Effects = [.. effects.Effects.Select(effect => effect with { PerExample = [.. effect.PerExample.Take(3)] })],
    };

    private static byte[] Bytes<T>(T record) => JsonSerializer.SerializeToUtf8Bytes(record, ArtifactJson.Options);

    private static void Check(string page)
    {
        using var reader = XmlReader.Create(new StringReader(page), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        var scripts = 0;
        while (reader.Read())
        {
            if (reader is { NodeType: XmlNodeType.Element, LocalName: "script" }) scripts++;
        }

        Assert.Equal(1, scripts);
    }
}
