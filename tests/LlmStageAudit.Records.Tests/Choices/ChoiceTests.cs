using System.Reflection;
using System.Text.Json;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Tests.Choices;

public sealed class ChoiceTests
{
    private static IEnumerable<Estimator> Estimators =>
    [
        .. GradientSource.Names.Select(name => new Estimator.Replay(GradientSource.Of(name))),
        new Estimator.Replay(new GradientSource.Sampled(1e-7)),
        .. from curvature in new Curvature[] { new Curvature.Full(), new Curvature.Full(0.1), new Curvature.LayerWise() }
           from floor in new[] { 0, 1e-3, 1e-8 }
           from readout in Enum.GetValues<Readout>()
           from estimator in new Estimator[] { new Estimator.Adjoint(curvature, floor, readout), new Estimator.AaScore(curvature, floor) }
           select estimator,
        new Estimator.DvEmb(),
        new Estimator.TracIn(),
    ];

    private static IEnumerable<Treatment> Treatments =>
    [
        new Treatment.Stage(), new Treatment.Steps(), new Treatment.Steps("3,10-12", "14"), new Treatment.EachStep(),
        new Treatment.EachBatch(), new Treatment.EachExample(),
    ];

    private static IEnumerable<Metric> Metrics => Metric.Names.SelectMany(name => new[] { Metric.Of(name), Metric.Of(name, "a >= 0.5 (x)") });

    [Fact]
    public void Every_case_is_spelled_and_read_back() => Assert.Multiple(
        () => ReadsBack(Estimators),
        () => ReadsBack(Treatments),
        () => ReadsBack(Metrics),
        () => ReadsBack<Executor>([new Executor.Local()]));

    [Fact]
    public void Spellings_are_unique_and_the_same_under_every_culture()
    {
        string[] spelled = [.. Estimators.Distinct().Select(estimator => $"{estimator}")];
        Assert.Equal(spelled.Length, spelled.Distinct().Count());
        Assert.Contains("replay-sampled-1E-07", spelled);
        Assert.Contains("adjoint-quadratic-0.1-eps0.001", spelled);
        Assert.Contains("aa-score-layer-wise", spelled);
        using var german = new GermanCulture();
        Assert.Equal(spelled, Estimators.Distinct().Select(estimator => $"{estimator}"));
    }

    [Theory]
    [InlineData("recorded", "replay-recorded")]
    [InlineData("sampled", "replay-sampled-0.25")]
    [InlineData("sampled-0.5", "replay-sampled-0.5")]
    [InlineData("replay", "replay-exact")]
    [InlineData("adjoint-1", "adjoint")]
    public void Short_spellings_are_read_too(string spelling, string whole) => Assert.Equal(whole, $"{Estimator.Parse(spelling)}");

    [Theory]
    [InlineData("", "the estimators: ''")]
    [InlineData("recordet", "did you mean 'recorded'?")]
    [InlineData("recorded-0.5", "the share of each batch: '0.5'; expected to be used with the gradient source sampled")]
    [InlineData("sampled-2", "the share of each batch: '2'; expected a share above 0, at most 1")]
    [InlineData("dvemb-0.5", "to be used with the method replay or adjoint or aa-score")]
    [InlineData("aa-score-quadratic", "the readout: 'quadratic'; expected to be used with the method adjoint")]
    [InlineData("adjoint-layer-wise-0.5", "the share of each batch: '0.5'; expected to be used with the curvature full")]
    [InlineData("adjoint-exact", "the gradient source: 'exact'; expected to be used with the method replay")]
    [InlineData("adjoint-eps2", "the epsilon floor: '2'; expected a number from 0, below 1")]
    [InlineData("-recorded", "the estimators: '-recorded'")]
    public void What_does_not_act_on_an_estimator_is_refused(string spelling, string expected)
    {
        var error = Assert.Throws<ConfigurationException>(() => Estimator.Parse(spelling));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Request, error.Kind);
    }

    [Theory]
    [InlineData("stages", null, "the level: 'stages'; expected stage, step, batch, example")]
    [InlineData("stage", "both", "the treatment: 'both'; expected stage or steps")]
    [InlineData("stage", null, "the steps: '3'; expected to be used with the treatment steps")]
    [InlineData("step", "steps", "the steps: '3'; expected to be used with the treatment steps")]
    public void Treatments_that_are_none_are_refused(string level, string? kind, string expected) => Assert.Equal(
        expected, Assert.Throws<ConfigurationException>(() => Treatment.Of(level, kind, "3")).Message);

    [Fact]
    public void Effects_of_the_first_schema_are_read_as_of_the_current_one()
    {
        var now = Serialization.SampleArtifacts.Effects with { ToolVersion = null };
        Assert.Equal(now.Identity, ReadFirst(now, "replay", "sampled", 0.25, "stage", "stage").Identity);
        Assert.Equal(new Treatment.EachStep(), ReadFirst(now, "adjoint", null, 0.5, "step", "steps").Treatment);
        Assert.Equal("adjoint-0.5", $"{ReadFirst(now, "adjoint", null, 0.5, "step", "steps").Estimator}");
        Assert.Equal(new Treatment.Steps(), ReadFirst(now, "tracin", null, null, "stage", "steps").Treatment);
        Assert.Null(ReadFirst(now, "certified", null, null, "stage", "stage").Estimator);
    }

    /// <summary>Verified was the name of exact replay; what checks foretold then did not hold, but what they called low was.</summary>
    [Theory]
    [InlineData("verified", TrustGrade.Exact)]
    [InlineData("high", TrustGrade.Unknown)]
    [InlineData("medium", TrustGrade.Unknown)]
    [InlineData("unchecked", TrustGrade.Unknown)]
    [InlineData("low", TrustGrade.Low)]
    public void Grades_of_older_schemas_are_read_for_what_they_were_worth(string old, TrustGrade expected)
    {
        var json = JsonSerializer.SerializeToNode(Serialization.SampleArtifacts.Effects, ArtifactJson.Options)!.AsObject();
        json["schemaVersion"] = 2;
        json["effects"]![0]!["trust"] = old;
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, json.ToJsonString());
            Assert.Equal(expected, ArtifactJson.Read<EffectsArtifact>(path).Effects[0].Trust);
            json["schemaVersion"] = 3;
            File.WriteAllText(path, json.ToJsonString());
            if (old is "verified" or "high" or "medium" or "low")
                Assert.Equal(old, EnumSpelling<TrustGrade>.Of(ArtifactJson.Read<EffectsArtifact>(path).Effects[0].Trust));
            else
                Assert.Throws<ArtifactException>(() => ArtifactJson.Read<EffectsArtifact>(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("""{"kind":"effects","schemaVersion":2,"effects":7}""")]
    [InlineData("""{"kind":"effects","schemaVersion":2,"effects":[{"trust":7}]}""")]
    [InlineData("""{"kind":"effects","schemaVersion":2,"effects":["trust"]}""")]
    [InlineData("""{"kind":"effects","schemaVersion":1,"method":"replay","method":"adjoint"}""")]
    [InlineData("""{"kind":"effects","schemaVersion":1,"method":7}""")]
    [InlineData("""{"kind":"effects","schemaVersion":1,"method":"replay","rho":"much","level":["stage"]}""")]
    [InlineData("""{"kind":"effects","schemaVersion":1,"method":"oracle","level":"stage","treatment":"stage"}""")]
    public void Damaged_files_of_the_first_schema_are_refused_as_any(string text)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, text);
            Assert.Throws<ArtifactException>(() => ArtifactJson.Read<EffectsArtifact>(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void One_question_is_asked_by_many_and_found_by_one()
    {
        var asked = new ResultIdentity("run", "data", "margin", new Treatment.Steps("3"), "definition", Estimator.Exact, "1.0.0");
        Assert.Equal(asked, asked with { Treatment = new Treatment.Steps("3") });
        Assert.All(
            new[] { asked with { Estimator = Estimator.Parse("adjoint") }, asked with { ToolVersion = null }, asked with { ProbeDefinition = null } },
            other => Assert.True(other != asked && asked.AsksTheSame(other) && other.AsksTheSame(asked)));
        Assert.All(
            new[]
            {
                asked with { RunId = "other" }, asked with { ProbeSha256 = "other" }, asked with { Metric = "other" },
                asked with { Treatment = new Treatment.Steps("4") }, asked with { ProbeDefinition = "other" },
            },
            other => Assert.False(asked.AsksTheSame(other) || other.AsksTheSame(asked)));
    }

    private static EffectsArtifact ReadFirst(
        EffectsArtifact effects, string method, string? gradient, double? rho, string level, string treatment)
    {
        var json = JsonSerializer.SerializeToNode(effects, ArtifactJson.Options)!.AsObject();
        json.Remove("estimator");
        (json["schemaVersion"], json["method"], json["level"], json["treatment"]) = (1, method, level, treatment);
        if (gradient is not null) json["gradient"] = gradient;
        if (rho is not null) json["rho"] = rho;
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, json.ToJsonString());
            return ArtifactJson.Read<EffectsArtifact>(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void ReadsBack<TChoice>(IEnumerable<TChoice> choices)
        where TChoice : class, IChoice<TChoice>
    {
        TChoice[] all = [.. choices];
        Assert.All(all, choice =>
        {
            Assert.Equal(choice, TChoice.Parse($"{choice}"));
            var json = JsonSerializer.Serialize(choice, ArtifactJson.CompactOptions);
            Assert.Equal(choice, JsonSerializer.Deserialize<TChoice>(json, ArtifactJson.CompactOptions));
        });
        var cases = typeof(TChoice).GetNestedTypes(BindingFlags.Public)
            .Where(type => !type.IsAbstract && type.IsAssignableTo(typeof(TChoice)));
        Assert.Equal(cases.Select(type => type.Name).Order(), all.Select(choice => choice.GetType().Name).Distinct().Order());
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<TChoice>("\"oracle\"", ArtifactJson.CompactOptions));
    }
}
