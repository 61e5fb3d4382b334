using System.Text.Json;
using FsCheck.Xunit;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Plans;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Verifications;

namespace LlmStageAudit.Records.Tests.Serialization;

public sealed class ArtifactJsonTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _path;

    public ArtifactJsonTests() => _path = _folder.At("artifact.json");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_artifact_round_trips_also_with_decimal_commas()
    {
        AssertRoundTrips(SampleArtifacts.Run, "run");
        AssertRoundTrips(SampleArtifacts.Effects, "effects");
        AssertRoundTrips(SampleArtifacts.Ranking, "ranking");
        AssertRoundTrips(SampleArtifacts.Plan, "plan");
        AssertRoundTrips(SampleArtifacts.Verification, "verification");
        AssertRoundTrips(SampleArtifacts.Comparison, "comparison");
    }

    [Fact]
    public void Doubles_keep_their_bits()
    {
        ArtifactJson.Write(_path, SampleArtifacts.Verification);

        var read = ArtifactJson.Read<VerificationArtifact>(_path).Stages[0].PredictedPerExample;

        Assert.Equal(SampleArtifacts.Doubles.Select(BitConverter.DoubleToInt64Bits), read.Select(BitConverter.DoubleToInt64Bits));
    }

    [Fact]
    public void The_text_is_camel_case_without_nulls_and_safe_inside_a_page()
    {
        ArtifactJson.Write(_path, SampleArtifacts.Effects);

        var text = File.ReadAllText(_path);
        Assert.StartsWith("{\n  \"schemaVersion\": 3,\n  \"kind\": \"effects\",\n  \"runId\": \"0f3a\",", text, StringComparison.Ordinal);
        Assert.EndsWith("}\n", text, StringComparison.Ordinal);
        Assert.Contains("\"low\": \"NaN\"", text, StringComparison.Ordinal);
        Assert.Contains("\"createdUtc\": \"2025-03-04T05:06:07.089Z\"", text, StringComparison.Ordinal);
        Assert.Contains("\"Final Score\": 0.1", text, StringComparison.Ordinal);
        Assert.DoesNotContain("exportedAdapter", text, StringComparison.Ordinal);
        Assert.DoesNotContain("null", text, StringComparison.Ordinal);
        Assert.DoesNotContain('<', text);
        Assert.DoesNotContain('\u2028', text);
    }

    [Fact]
    public void Writing_leaves_nothing_beside_the_file_and_replaces_it()
    {
        ArtifactJson.Write(_path, SampleArtifacts.Plan);
        ArtifactJson.Write(_path, SampleArtifacts.Plan with { RunId = "second" });

        Assert.Equal([_path], Directory.GetFileSystemEntries(_folder.Path));
        Assert.Equal("second", ArtifactJson.Read<PlanArtifact>(_path).RunId);
    }

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("{", "not valid JSON")]
    [InlineData("{} {}", "not valid JSON")]
    [InlineData("[]", "not a JSON object with 'kind' and 'schemaVersion'")]
    [InlineData("{}", "not a JSON object with 'kind' and 'schemaVersion'")]
    [InlineData("""{"kind":"plan"}""", "not a JSON object with 'kind' and 'schemaVersion'")]
    [InlineData("""{"kind":"plan","schemaVersion":"1"}""", "not a JSON object with 'kind' and 'schemaVersion'")]
    [InlineData("""{"x":{"kind":"plan","schemaVersion":1}}""", "not a JSON object with 'kind' and 'schemaVersion'")]
    [InlineData(
        """{"kind":"effects","schemaVersion":1}""",
        "kind is 'effects'; expected kind 'plan'; give the file that this command reads")]
    [InlineData(
        """{"kind":"plan","schemaVersion":2}""",
        "schemaVersion is 2; expected a plan file with schemaVersion 1 to 1; it was written by a newer version")]
    [InlineData("""{"kind":"plan","schemaVersion":0}""", "schemaVersion is 0")]
    [InlineData("""{"kind":"plan","schemaVersion":1}""", "a field is missing or wrong")]
    [InlineData(
        """{"kind":"plan","schemaVersion":1,"runId":null,"run":"r","createdUtc":"2025-01-01T00:00:00Z"}""",
        "a field is missing or wrong")]
    [InlineData(
        """{"kind":"plan","schemaVersion":1,"runId":7,"run":"r","createdUtc":"2025-01-01T00:00:00Z"}""",
        "a field is missing or wrong")]
    [InlineData(
        """{"kind":"plan","schemaVersion":1,"runId":"a","runId":"b","run":"r","createdUtc":"2025-01-01T00:00:00Z"}""",
        "a field is missing or wrong")]
    [InlineData(
        """{"kind":"plan","schemaVersion":1,"runId":"a","run":"r","createdUtc":"2025-01-01T00:00:00Z","jobs":[null]}""",
        "null in a list")]
    [InlineData(
        """{"kind":"plan","schemaVersion":1,"runId":"a","run":"r","createdUtc":"2025-01-01T00:00:00Z","jobs":null}""",
        "a field is missing or wrong")]
    public void Each_fault_is_named(string text, string expected)
    {
        File.WriteAllText(_path, text);

        var exception = Assert.Throws<ArtifactException>(() => ArtifactJson.Read<PlanArtifact>(_path));

        Assert.StartsWith(_path, exception.Message, StringComparison.Ordinal);
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
        Assert.Equal(ErrorKind.Input, exception.Kind);
    }

    [Fact]
    public void Unreadable_files_are_named()
    {
        Assert.Contains(
            "no such file",
            Assert.Throws<ArtifactException>(() => ArtifactJson.Read<PlanArtifact>(_path)).Message,
            StringComparison.Ordinal);
        var nested = "{\"kind\":\"plan\",\"schemaVersion\":1,\"a\":" + new string('[', 100_000);
        File.WriteAllText(_path, nested);
        Assert.Contains(
            "not valid JSON",
            Assert.Throws<ArtifactException>(() => ArtifactJson.Read<PlanArtifact>(_path)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_manifest_goes_through_the_run_folder()
    {
        var run = RunFolder.Create(_folder.At("run"));
        run.WriteManifest(SampleArtifacts.Run);

        var read = RunFolder.Open(_folder.At("run")).ReadManifest();

        Assert.Equal(("0f3a", RunState.Stopped, long.MaxValue), (read.RunId, read.State, read.Configuration.Seed));
        Assert.Equal("x >= 0.5 & \"<y>\"", read.Configuration.Stages[0].Dataset.Where);
    }

    [Property(Arbitrary = [typeof(Damage)], MaxTest = 2_000, Replay = "20250303,297405283")]
    public void Damaged_artifacts_load_or_say_what_is_wrong(Damage damage)
    {
        ArtifactJson.Write(_path, SampleArtifacts.Run);
        File.WriteAllBytes(_path, damage.Done(File.ReadAllBytes(_path)));
        try
        {
            ArtifactJson.Read<RunManifest>(_path);
        }
        catch (ArtifactException exception)
        {
            Assert.DoesNotContain('\n', exception.Message);
        }
    }

    [Fact]
    public void Enums_have_one_spelling()
    {
        Assert.Equal(["sequence-classification", "causal-lm"], EnumSpelling<ModelTask>.All);
        Assert.Equal("adamw", EnumSpelling<OptimizerName>.Of(OptimizerName.AdamW));
        Assert.True(EnumSpelling<ModelTask>.TryParse("causal-lm", out var task));
        Assert.Equal(ModelTask.CausalLm, task);
        Assert.False(EnumSpelling<ModelTask>.TryParse("CausalLm", out _));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<ModelTask>("1", ArtifactJson.Options));
    }

    private void AssertRoundTrips<T>(T value, string kind)
        where T : class, IArtifact<T>
    {
        ArtifactJson.Write(_path, value);
        var first = File.ReadAllText(_path);
        using var german = new GermanCulture();
        var read = ArtifactJson.Read<T>(_path);
        ArtifactJson.Write(_path, read);

        Assert.Equal(first, File.ReadAllText(_path));
        Assert.Equal((T.CurrentSchemaVersion, kind), (read.SchemaVersion, read.Kind));
    }
}
