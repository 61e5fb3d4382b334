using System.Text;
using System.Text.Json;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Records.Tests.Trajectories;

/// <summary>Headers as logs show them: what the serializer makes of the same text is the reference.</summary>
public sealed class StepHeaderTests : IDisposable
{
    private const string Good =
        """{"step":101,"stageStep":1,"epoch":0,"learningRate":1E-05,"lossNats":0.69,"gradientNorm":"NaN","batchIds":"""
        + """["a","zw\u00f6lf","","\ud83d\ude00 \"x\""]}""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Good)]
    [InlineData(
        """{"batchIds":[],"gradientNorm":"-Infinity","lossNats":"Infinity","learningRate":-0.0,"epoch":3,"stageStep":2,"step":2}""")]
    [InlineData(
        """{ "step" : 7 , "stageStep":7,"epoch":1,"learningRate":5e-324,"lossNats":1.7976931348623157e308,"gradientNorm":"""
        + """3,"batchIds":["1"], "later": {"a":[1,{}]} }""")]
    public void Say_what_the_serializer_reads(string text)
    {
        var found = Read(text);
        SampleLog.AssertSame(JsonSerializer.Deserialize<StepRecord>(text, ArtifactJson.CompactOptions)!, found);
    }

    [Theory]
    [InlineData("\"epoch\":0,", "")]
    [InlineData("\"epoch\":0", "\"epoch\":0,\"epoch\":0")]
    [InlineData("\"epoch\":0", "\"epoch\":-1")]
    [InlineData("\"epoch\":0", "\"epoch\":0.5")]
    [InlineData("\"step\":101", "\"step\":0")]
    [InlineData("\"step\":101", "\"step\":99999999999")]
    [InlineData("\"step\":101", "\"step\":\"101\"")]
    [InlineData("\"lossNats\":0.69", "\"lossNats\":null")]
    [InlineData("\"lossNats\":0.69", "\"lossNats\":\"nan\"")]
    [InlineData("\"a\",", "1,")]
    [InlineData("\"a\",", "null,")]
    [InlineData("\"a\",", "[\"a\"],")]
    [InlineData("[\"a\"", "{\"a\"")]
    [InlineData("}", "}}")]
    [InlineData("}", "")]
    [InlineData("\"batchIds\"", "\"batchids\"")]
    public void Anything_else_is_refused_as_damage(string part, string instead)
    {
        Assert.Contains(part, Good, StringComparison.Ordinal);
        var exception = Assert.Throws<TrajectoryException>(() => Read(Good.Replace(part, instead, StringComparison.Ordinal)));
        Assert.Contains("the header is no step record", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }

    [Fact]
    public void Ids_longer_than_most_are_whole()
    {
        var id = new string('ä', 5000) + "\\n";
        Assert.Equal(id, Read(Good.Replace("\"a\"", JsonSerializer.Serialize(id), StringComparison.Ordinal)).BatchIds[0]);
    }

    // A log of one record with that header; its hash is right, so that only the header can be refused.
    private StepRecord Read(string header)
    {
        var path = _folder.At("one.log");
        var text = Encoding.UTF8.GetBytes(header);
        byte[] hashed =
        [
            .. BitConverter.GetBytes(0x53544550u), .. BitConverter.GetBytes(text.Length), .. BitConverter.GetBytes(0L), .. text,
        ];
        var hash = System.Security.Cryptography.SHA256.HashData([.. System.Security.Cryptography.SHA256.HashData("g"u8), .. hashed]);
        File.WriteAllBytes(path, [.. "SATRAJ01"u8, 1, 0, 0, 0, 0, 0, 0, 0, .. hashed, .. hash]);
        using var reader = TrajectoryReader.Open(path, "g");
        return reader.Steps[0];
    }
}
