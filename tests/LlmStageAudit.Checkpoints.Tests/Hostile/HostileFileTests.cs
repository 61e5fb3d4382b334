using System.Text.Json;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Checkpoints.Tests.Safetensors;
using LlmStageAudit.Checkpoints.Tokenization;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Testing.Fuzzing;

namespace LlmStageAudit.Checkpoints.Tests.Hostile;

/// <summary>Files made to exhaust a reader: each is refused in bounded time, memory and stack.</summary>
public sealed class HostileFileTests : IDisposable
{
    private const int Deep = 100_000;

    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    public static TheoryData<string> Texts =>
    [
        new('[', Deep),
        "{\"a\":" + new string('[', Deep),
        string.Concat(Enumerable.Repeat("{\"a\":", Deep)),
        "{\"model_type\":" + new string('9', 3_000_000) + "}",
        "{\"model_type\":\"" + new string('x', 3_000_000),
        "{\"\\ud800\":1}",
        "{\"model_type\":\"\\udfff\",\"peft_type\":\"\\udfff\"}",
        "\0\0\0\0\0\0\0\0",
        "",
        " ",
        "{" + string.Concat(Enumerable.Range(0, Deep).Select(i => $"\"k{i}\":{i},")) + "\"k0\":1}",
        "{\"model_type\":1e999999,\"peft_type\":1e999999}",
        "{\"hidden_size\":4611686018427387904,\"r\":4611686018427387904}",
        "\u00ef\u00bb\u00bf{",
        "{}{}",
        "{\"a\":1}//",
        "{\"a\":NaN}",
        "null",
        "[]",
        "\"\"",
    ];

    [Theory]
    [MemberData(nameof(Texts), DisableDiscoveryEnumeration = true)]
    public void Hostile_json_is_refused_in_bounded_time_memory_and_stack(string text)
    {
        _scratch.WriteText("m/config.json", """{"model_type":"gpt_neox"}""");
        foreach (var (path, read) in (IEnumerable<(string, Action<string>)>)
            [
                ("config.json", path => GptNeoXConfig.Read(ModelConfig.Read(path))),
                ("config.json", path => Gemma3Config.Read(ModelConfig.Read(path))),
                ("adapter_config.json", path => LoraConfig.Read(path)),
                ("tokenizer.json", path => HuggingFaceTokenizer.Load(path)),
                ("m/model.safetensors.index.json", path => ModelFolder.Open(Path.GetDirectoryName(path)!).Dispose()),
                ("raw.safetensors", path => SafetensorsFile.Open(_scratch.WriteRaw(text, [], name: "header.safetensors")).Dispose()),
            ])
        {
            _scratch.WriteText(path, text);
            if (path.StartsWith("raw", StringComparison.Ordinal) && text.StartsWith("{\"k0", StringComparison.Ordinal)) continue;
            CheckRefused(Bounded.Record(() => read(_scratch[path]), 128 << 20));
        }
    }

    public static TheoryData<string, string> Tables => new()
    {
        { "a.csv", "a,b\n\"" + new string('x', 20_000_000) },
        { "b.csv", string.Join(',', Enumerable.Range(0, 20_000)) + "\n" },
        { "c.csv", "a,a\n" },
        { "d.csv", "a,b\n1\n" },
        { "e.csv", "a\n\"b\"c\n" },
        { "f.csv", "" },
        { "g.jsonl", new string('[', Deep) },
        { "h.jsonl", "{\"a\":" + new string('[', Deep) + new string(']', Deep) + "}" },
        { "i.jsonl", string.Concat(Enumerable.Repeat("{\"a\":", Deep)) },
        { "j.jsonl", "{\"a\":1,\"a\":2}" },
        { "k.jsonl", "{" + string.Join(',', Enumerable.Range(0, 20_000).Select(i => $"\"k{i}\":1")) + "}" },
        { "l.jsonl", "1\n" },
        { "m.jsonl", "{\"a\":\"" + new string('x', 17_000_000) + "\"}" },
        { "n.jsonl", "{\"a\":1}\0" },
        { "o.tsv", "a\ta\n" },
        {
            "p.jsonl",
            "{" + string.Join(',', Enumerable.Range(0, 16_000).Select(i => $"\"k{i}\":1")) + "}\n"
            + string.Concat(Enumerable.Repeat("{\"k15999\":1}\n", 100_000))
        },
    };

    [Theory]
    [MemberData(nameof(Tables), DisableDiscoveryEnumeration = true)]
    public void Hostile_tables_are_refused_in_bounded_time_memory_and_stack(string name, string text) =>
        CheckRefused(Bounded.Record(() => CommentSet.Read(_scratch.WriteText(name, text)), 400 << 20));

    [Fact]
    public void Short_rows_cost_little_where_another_row_has_all_the_columns()
    {
        var text = "{" + string.Join(',', Enumerable.Range(0, 16_000).Select(i => $"\"k{i}\":1")) + "}\n"
            + string.Concat(Enumerable.Repeat("{}\n", 100_000));
        var path = _scratch.WriteText("wide.jsonl", text);
        Assert.Null(Bounded.Record(() => Assert.Equal(100_001, CommentSet.Read(path).Rows.Count), 128 << 20));
    }

    [Fact]
    public void A_wrong_column_among_thousands_is_named_at_once()
    {
        var columns = Enumerable.Range(0, 16_000).Select(i => $"a_long_name_of_a_column_{i}").ToArray();
        CheckRefused(Bounded.Record(() => RowExpression.Parse(new string('x', 16_000), columns, "run.yaml"), 128 << 20));
        CheckRefused(Bounded.Record(() => RowExpression.Parse(new string('x', 500), columns, "run.yaml"), 128 << 20));
        CheckRefused(Bounded.Record(() => RowExpression.Parse("b_long_name_of_a_column_7", columns, "run.yaml"), 128 << 20));
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[9223372036854775804,9223372036854775808]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,0]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,9223372036854775807,9223372036854775807],"data_offsets":[0,4]}}""")]
    public void Shapes_that_overflow_or_lie_are_refused(string header) =>
        CheckRefused(Bounded.Record(() => SafetensorsFile.Open(_scratch.WriteRaw(header, new byte[4])).Dispose(), 1 << 20));

    /// <summary>A file of holes costs nothing to make, whatever size it has.</summary>
    [Fact]
    public void Huge_files_of_holes_are_refused()
    {
        var path = _scratch["holes.safetensors"];
        foreach (var lengthBytes in (ulong[])[0, 90_000_000, 100_000_001, 1UL << 39])
        {
            using (var stream = File.Create(path))
            {
                stream.Write(BitConverter.GetBytes(lengthBytes));
                stream.SetLength(1L << 40);
            }

            CheckRefused(Bounded.Record(() => SafetensorsFile.Open(path).Dispose(), 128 << 20));
        }

        foreach (var (name, read) in (IEnumerable<(string, Action<string>)>)
            [
                ("config.json", path => ModelConfig.Read(path)),
                ("adapter_config.json", path => LoraConfig.Read(path)),
                ("tokenizer.json", path => HuggingFaceTokenizer.Load(path)),
                ("rows.csv", path => CommentSet.Read(path)),
                ("rows.jsonl", path => CommentSet.Read(path)),
            ])
        {
            using (var stream = File.Create(_scratch[name])) stream.SetLength(1L << 40);
            CheckRefused(Bounded.Record(() => read(_scratch[name])));
        }
    }

    [Fact]
    public void Hostile_expressions_are_refused_or_answered_in_bounded_time_and_stack()
    {
        var rows = CommentSet.Of("rows", ["a", "text"], [["1", new string('a', 60)]]);
        foreach (var text in (string[])
            [
                new('(', 16_000),
                new string('(', 101) + "a" + new string(')', 101),
                string.Concat(Enumerable.Repeat("not ", 4000)) + "text == 'x",
                string.Concat(Enumerable.Repeat("a in (", 2000)),
                new('\'', 16_001),
                "a == " + new string('9', 16_000),
                "a >= 1e999999",
                "a >= nan",
                "text matches '(a+)+b$'",
                "text matches '(a|a)*b$'",
                "text matches '" + new string('(', 8000) + "'",
                "text matches 'a{1000000000}{1000000000}'",
                "text matches '" + new string('(', 5000) + new string(')', 5000) + "*b'",
                "b == 1",
                new('x', Deep),
                "a == 'x' == 'y'",
                "a\0",
                "\ud800",
            ])
        {
            CheckRefused(Bounded.Record(() =>
            {
                var expression = RowExpression.Parse(text, ["a", "text"], "run.yaml:3: where");
                if (expression.Test(rows.Rows[0]) == true) return;
                throw ConfigurationException.At("answered", "false");
            }));
        }

        var chain = string.Join(" or ", Enumerable.Repeat("a==2", 1700));
        Assert.Null(Bounded.Record(() => Assert.False(RowExpression.Parse(chain, ["a"], "where").Test(rows.Rows[0]))));
        var negations = string.Concat(Enumerable.Repeat("not ", 4000)) + "a";
        Assert.Null(Bounded.Record(() => Assert.True(RowExpression.Parse(negations, ["a"], "where").Test(rows.Rows[0]))));
    }

    [Theory]
    [InlineData("(a+)+$")]
    [InlineData("(.*.*)*x")]
    [InlineData("((((((((((a?){30}){30}){30})))))))b")]
    [InlineData("(?:(?:a|aa)+)+b")]
    public void A_module_pattern_that_backtracks_is_cut_short(string pattern)
    {
        var config = new LoraConfig { Rank = 1, Alpha = 1, TargetPattern = pattern, RankPattern = [new("x" + pattern, 2)] };
        CheckRefused(Bounded.Record(() =>
        {
            for (var layer = 0; layer < 1000; layer++) _ = config.Targets($"{new string('a', 60)}{layer}!");
            throw ConfigurationException.At("answered", "in time");
        }));
    }

    [Fact]
    public void Module_patterns_are_bounded_in_length_and_depth()
    {
        foreach (var pattern in (string[])
            [
                new('(', 9000),
                new('[', 9000),
                new('a', 4097),
                new('(', 4000),
                new string('(', 2000) + new string(')', 2000) + "(",
                "\\p{Foo}",
                "(?<",
                "*",
            ])
        {
            var path = _scratch.WriteText(
                "adapter_config.json",
                $$"""{"peft_type":"LORA","target_modules":{{JsonSerializer.Serialize(pattern)}}}""");
            CheckRefused(Bounded.Record(() => LoraConfig.Read(path)));
        }

        var deep = new string('(', 2000) + "a" + new string(')', 2000);
        var kept = _scratch.WriteText("adapter_config.json", $$"""{"peft_type":"LORA","target_modules":"{{deep}}"}""");
        Assert.Null(Bounded.Record(() => Assert.True(LoraConfig.Read(kept).Targets("a"))));
    }

    [Fact]
    public void Shards_stay_in_their_folder()
    {
        _scratch.WriteText("m/config.json", """{"model_type":"gpt_neox"}""");
        SafetensorsWriter.Write(_scratch["x.safetensors"], [new("a", [1], new[] { 1f })]);
        foreach (var name in (string[])
            [
                "../x.safetensors",
                _scratch["x.safetensors"],
                "..\\x.safetensors",
                "./../x.safetensors",
                "x/../../x.safetensors",
                "C:x.safetensors",
                "x\0.safetensors",
                "..",
                "",
            ])
        {
            _scratch.WriteText("m/model.safetensors.index.json", $$$"""{"weight_map":{"a":{{{JsonSerializer.Serialize(name)}}}}}""");
            var refused = Assert.IsType<CheckpointException>(Bounded.Record(() => ModelFolder.Open(_scratch["m"]).Dispose()));
            Assert.Contains("the plain name of a .safetensors file", refused.Message);
        }
    }

    private static void CheckRefused(Exception? fault)
    {
        var refused = Assert.IsAssignableFrom<AuditException>(fault);
        Assert.True(refused.Message.Length < 3000 && !refused.Message.Any(char.IsControl), refused.Message);
    }
}
