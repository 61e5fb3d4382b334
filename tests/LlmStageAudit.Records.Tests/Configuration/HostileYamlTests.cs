using System.Text;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing.Fuzzing;

namespace LlmStageAudit.Records.Tests.Configuration;

/// <summary>Texts made to exhaust a parser: each is refused in bounded time, memory and stack.</summary>
public sealed class HostileYamlTests : IDisposable
{
    private const int Deep = 100_000;

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, string> Texts => new()
    {
        { "nested lists", "a: " + new string('[', Deep) },
        { "nested lists that end", "a: " + new string('[', Deep) + new string(']', Deep) },
        { "nested maps", string.Concat(Enumerable.Repeat("{a: ", Deep)) },
        { "nested maps as keys", string.Concat(Enumerable.Repeat("{? ", Deep)) },
        { "nested dashes", string.Concat(Enumerable.Repeat("- ", Deep)) },
        { "nested question marks", string.Concat(Enumerable.Repeat("? ", Deep)) },
        { "nested by indentation", string.Concat(Enumerable.Range(0, 1500).Select(depth => $"{new string(' ', depth)}a:\n")) },
        { "lists in keys", string.Concat(Enumerable.Repeat("[a]: ", Deep)) },
        {
            "laughs",
            "a: &a [x, x, x, x]\n"
            + string.Concat("bcdefghijklmnopq".Select(
                name => $"{name}: &{name} [*{(char)(name - 1)}, *{(char)(name - 1)}, *{(char)(name - 1)}]\n"))
        },
        { "anchors", string.Concat(Enumerable.Range(0, Deep).Select(i => $"k{i}: &a{i} x\n")) },
        { "aliases", "a: &a x\n" + string.Concat(Enumerable.Range(0, Deep).Select(i => $"k{i}: *a\n")) },
        { "an anchor in itself", "a: &a [*a]\n" },
        { "merge keys", "a: &a {x: 1}\nb: {<<: *a}\n" },
        { "tags", "a: !!python/object/apply:os.system [id]\n" },
        { "directives", string.Concat(Enumerable.Repeat("%TAG !e! tag:x,2000:\n", Deep)) + "---\na: 1\n" },
        { "documents", string.Concat(Enumerable.Repeat("---\na: 1\n", Deep)) },
        { "unknown keys", string.Concat(Enumerable.Range(0, 90_000).Select(i => $"k{i}: 1\n")) },
        { "one key often", string.Concat(Enumerable.Repeat("a: 1\n", 90_000)) },
        { "a huge key", new string('k', 3_000_000) + ": 1\n" },
        { "a huge text", "seed: " + new string('9', 3_000_000) + "\n" },
        { "a huge quoted text", "seed: \"" + string.Concat(Enumerable.Repeat("\\x41", 900_000)) + "\"\n" },
        { "a huge block text", "seed: |\n" + string.Concat(Enumerable.Repeat("  x\n", 900_000)) },
        { "a huge comment", "# " + new string('#', 3_000_000) + "\nx: 1\n" },
        { "an unclosed quote", "seed: \"" + new string('x', 3_000_000) },
        { "blank lines", new string('\n', 3_000_000) + "x: 1" },
        { "carriage returns", new string('\r', 3_000_000) + "x: 1" },
        { "tabs", new string('\t', 3_000_000) + "x: 1" },
        { "colons", new string(':', 3_000_000) },
        { "commas", "[" + new string(',', 3_000_000) },
        { "NUL", "seed: 1\0\0" },
        { "half a surrogate pair", "seed: \"\\ud800\"" },
        { "half a surrogate pair as a key", "\"\\udfff\": 1" },
        { "escapes beyond Unicode", "seed: \"\\Uffffffff\"" },
        { "huge numbers", "seed: 1e999999" },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Texts), DisableDiscoveryEnumeration = true)]
    public void Hostile_texts_are_refused_in_bounded_time_memory_and_stack(string what, string text)
    {
        var path = _folder.Write("run.yaml", text);
        foreach (var read in (Action[])[() => RunConfigurationReader.Read(path, []), () => ProbeConfigurationReader.Read(path)])
        {
            var refused = Assert.IsType<ConfigurationException>(Bounded.Record(read, mostBytes: 200 << 20));
            Assert.InRange(refused.Faults.Count, 1, 101);
            Assert.All(refused.Faults, fault => Assert.True(fault.Length < 3000 && !fault.Any(char.IsControl), what));
        }
    }

    [Theory]
    [InlineData("stages.one.data.limit=4611686018427387904", "limit")]
    [InlineData("stages.one.epochs=2000000000", "epochs")]
    [InlineData("stages.one.batchSize=99999999999999999999", "batchSize")]
    [InlineData("stages.one.batchSize=-1", "batchSize")]
    [InlineData("stages.one.batchSize=1e3", "batchSize")]
    [InlineData("optimizer.learningRate=1e999999", "learningRate")]
    [InlineData("optimizer.learningRate=.inf", "learningRate")]
    [InlineData("model.labels=2147483648", "labels")]
    [InlineData("model.maxLength=1048577", "maxLength")]
    [InlineData("adapter.r=65537", "r")]
    [InlineData("seed=9223372036854775808", "seed")]
    [InlineData("stages.one.name=../x", "name")]
    [InlineData("stages.one.name=\"a b\"", "name")]
    [InlineData("stages.one.name=$(id)", "name")]
    [InlineData("stages.one.name=\"a\\nb\"", "name")]
    [InlineData("stages.one.name=\"'\"", "name")]
    public void Values_out_of_bounds_are_refused(string text, string key)
    {
        var path = _folder.Write("small.yaml", SampleYaml.Small);
        var refused = Assert.IsType<ConfigurationException>(Bounded.Record(() => RunConfigurationReader.Read(path, [text])));
        Assert.Contains($".{key}:", "." + refused.Message.Split(": ", 2)[1]);
    }

    [Fact]
    public void Deep_overrides_are_refused()
    {
        var path = _folder.Write("small.yaml", SampleYaml.Small);
        foreach (var text in (string[])
            [
                string.Join('.', Enumerable.Repeat("a", Deep)) + "=1",
                "seed=" + new string('[', Deep),
                "seed=" + string.Concat(Enumerable.Repeat("{a: ", Deep)),
                new string('.', Deep) + "=1",
                "a=&a [*a]",
                new string('x', 3_000_000),
                new string('x', 3_000_000) + "=1",
            ])
        {
            var refused = Assert.IsType<ConfigurationException>(
                Bounded.Record(() => RunConfigurationReader.Read(path, [text]), mostBytes: 200 << 20));
            Assert.All(refused.Faults, fault => Assert.True(fault.Length < 3000));
        }
    }

    [Fact]
    public void Bytes_that_are_no_text_are_refused_and_a_byte_order_mark_is_passed_over()
    {
        var whole = Encoding.UTF8.GetBytes(SampleYaml.Small);
        var path = _folder.At("run.yaml");
        File.WriteAllBytes(path, [0xEF, 0xBB, 0xBF, .. whole]);
        Assert.Equal(2, RunConfigurationReader.Read(path, []).Stages.Count);
        foreach (var bytes in (byte[][])
            [
                [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(SampleYaml.Small)],
                [.. whole, 0xC0, 0x80],
                [.. whole, 0xED, 0xA0, 0x80],
                [.. whole, 0],
            ])
        {
            File.WriteAllBytes(path, bytes);
            Assert.IsType<ConfigurationException>(Bounded.Record(() => RunConfigurationReader.Read(path, [])));
        }
    }
}
