using System.Text.Json.Nodes;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Tests.Safetensors;

namespace LlmStageAudit.Checkpoints.Tests.Adapters;

public sealed class LoraConfigTests : IDisposable
{
    private const string Minimal = """{"peft_type":"LORA","target_modules":["query_key_value"]}""";

    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Absent_keys_read_as_pefts_defaults()
    {
        var config = Read(Minimal);

        Assert.Equal((8, 8.0, 1.0, 0.0, false), (config.Rank, config.Alpha, config.Scaling, config.Dropout, config.UseRslora));
        Assert.Equal(["query_key_value"], config.TargetModules);
        Assert.Null(config.TaskType);
        Assert.Empty(config.Warnings);
    }

    [Fact]
    public void Scaling_divides_by_the_rank_or_its_root()
    {
        Assert.Equal(2.0, Read(Minimal, ("r", 16), ("lora_alpha", 32)).Scaling);
        Assert.Equal(8.0, Read(Minimal, ("r", 16), ("lora_alpha", 32), ("use_rslora", true)).Scaling);
        Assert.Equal(0.75, Read(Minimal, ("r", 2), ("lora_alpha", 1.5)).Scaling);
    }

    [Fact]
    public void Fan_in_fan_out_warns_as_in_peft()
    {
        var config = Read(Minimal, ("fan_in_fan_out", true), ("lora_dropout", 0.1));

        Assert.True(config.FanInFanOut);
        Assert.Equal(0.1, config.Dropout);
        Assert.Contains("fan_in_fan_out", Assert.Single(config.Warnings));
    }

    /// <summary>What a later PEFT writes may be another kind of LoRA.</summary>
    [Theory]
    [InlineData("true")]
    [InlineData("1")]
    [InlineData("0.5")]
    [InlineData("\"on\"")]
    [InlineData("{\"rank\":2}")]
    [InlineData("[0]")]
    public void Keys_that_are_not_known_are_refused_unless_they_are_off(string value)
    {
        var fault = Assert.Throws<CheckpointException>(() => Read(Minimal, ("use_nextlora", JsonNode.Parse(value))));
        Assert.Contains("unsupported setting: 'use_nextlora', a key that is not known here", fault.Message);
        foreach (var off in (string[])["false", "null", "{}", "[]"])
            Assert.Equal(8, Read(Minimal, ("use_nextlora", JsonNode.Parse(off))).Rank);
    }

    [Theory]
    [InlineData("true", LoraStart.Kaiming)]
    [InlineData("\"gaussian\"", LoraStart.Gaussian)]
    [InlineData("\"Gaussian\"", LoraStart.Gaussian)]
    [InlineData("false", LoraStart.Linear)]
    [InlineData("null", LoraStart.Linear)]
    [InlineData("\"orthogonal\"", "orthogonal")]
    [InlineData("\"eva\"", "eva")]
    [InlineData("\"mica\"", LoraStart.Mica)]
    public void Starts_that_leave_the_base_alone_are_read_and_written(string value, string start)
    {
        var config = Read(Minimal, ("init_lora_weights", JsonNode.Parse(value)));
        Assert.Equal(start, config.Start);
        config.Write(_scratch["again.json"]);
        Assert.Equal(start, LoraConfig.Read(_scratch["again.json"]).Start);
    }

    /// <summary>As PEFT's LoraConfig refuses both.</summary>
    [Fact]
    public void Layers_beside_a_pattern_and_lists_without_layers_are_refused()
    {
        var pattern = """{"peft_type":"LORA","target_modules":".*dense","layers_to_transform":[0]}""";
        Assert.Contains("layers_to_transform: stands beside a pattern", Assert.Throws<CheckpointException>(() => Read(pattern)).Message);
        Assert.Contains(
            "layers_pattern: stands without layers_to_transform",
            Assert.Throws<CheckpointException>(() => Read(Minimal, ("layers_pattern", "layers"))).Message);
    }

    [Theory]
    [InlineData(@".*\.(?P<layer>[02])\.attention\.(?:dense|query_key_value)", true)]
    [InlineData(@"(?P<a>gpt_neox)\.layers\.2\.attention\.dense\Z", true)]
    [InlineData(@"gpt_neox\.layers\.(?P<n>\d)\.attention\.dense(?P=n)?", true)]
    [InlineData(@".*\.(?P<layer>[13])\.attention\.dense", false)]
    [InlineData(@"\(?P<layer>.*", false)]
    public void Named_groups_of_Python_match_as_there(string pattern, bool matches)
    {
        var config = Read(new JsonObject { ["peft_type"] = "LORA", ["target_modules"] = pattern }.ToJsonString());
        Assert.Equal(matches, config.Targets("gpt_neox.layers.2.attention.dense"));
    }

    [Fact]
    public void Ensure_weight_tying_is_kept()
    {
        Read(Minimal, ("ensure_weight_tying", true)).Write(_scratch["tied.json"]);
        Assert.True(JsonNode.Parse(File.ReadAllText(_scratch["tied.json"]))!["ensure_weight_tying"]!.GetValue<bool>());
        Read(Minimal).Write(_scratch["untold.json"]);
        Assert.DoesNotContain("ensure_weight_tying", File.ReadAllText(_scratch["untold.json"]));
    }

    [Theory]
    [InlineData("use_dora", "true")]
    [InlineData("use_qalora", "true")]
    [InlineData("use_bdlora", "true")]
    [InlineData("lora_bias", "true")]
    [InlineData("target_parameters", "[\"w\"]")]
    [InlineData("layer_replication", "[[0,2]]")]
    [InlineData("trainable_token_indices", "[1]")]
    [InlineData("alora_invocation_tokens", "[1]")]
    [InlineData("velora_config", "{\"a\":1}")]
    [InlineData("kasa_config", "{\"a\":1}")]
    [InlineData("arrow_config", "{\"top_k\":3}")]
    [InlineData("monteclora_config", "{\"a\":1}")]
    [InlineData("use_dora", "1")]
    [InlineData("bias", "\"some\"")]
    [InlineData("init_lora_weights", "\"pissa_niter_16\"")]
    [InlineData("init_lora_weights", "\"loftq\"")]
    [InlineData("init_lora_weights", "\"olora\"")]
    [InlineData("init_lora_weights", "\"corda\"")]
    [InlineData("init_lora_weights", "\"lora_ga\"")]
    [InlineData("init_lora_weights", "\"a_later_one\"")]
    public void Variants_that_change_the_arithmetic_are_refused_by_name(string key, string value)
    {
        var fault = Assert.Throws<CheckpointException>(() => Read(Minimal, (key, JsonNode.Parse(value))));
        Assert.Contains($"unsupported setting: {key}", fault.Message);
    }

    [Theory]
    [InlineData("use_dora", "false")]
    [InlineData("target_parameters", "[]")]
    [InlineData("layer_replication", "null")]
    [InlineData("init_lora_weights", "\"gaussian\"")]
    [InlineData("init_lora_weights", "false")]
    public void Variants_that_are_off_are_accepted(string key, string value) =>
        Assert.Equal(8, Read(Minimal, (key, JsonNode.Parse(value))).Rank);

    [Fact]
    public void Several_variants_are_named_at_once()
    {
        var fault = Assert.Throws<CheckpointException>(() => Read(Minimal, ("use_dora", true), ("bias", "some")));
        Assert.Contains("unsupported settings: use_dora; bias 'some'", fault.Message);
    }

    [Theory]
    [InlineData("""{"target_modules":["x"]}""", "peft_type: is absent")]
    [InlineData("""{"peft_type":"IA3","target_modules":["x"]}""", "found 'IA3'; expected 'LORA'")]
    [InlineData("""{"peft_type":"LORA"}""", "target_modules: is absent")]
    [InlineData("""{"peft_type":"LORA","target_modules":[]}""", "target_modules: is absent")]
    [InlineData("""{"peft_type":"LORA","target_modules":["x"],"r":0}""", "r: found '0'")]
    [InlineData("""{"peft_type":"LORA","target_modules":["x"],"r":"8"}""", "r: found")]
    [InlineData("""{"peft_type":"LORA","target_modules":["x"],"lora_dropout":1.0}""", "a rate in [0, 1)")]
    [InlineData("""{"peft_type":"LORA","target_modules":"(unclosed"}""", "pattern '(unclosed' is no regular expression")]
    [InlineData("""{"peft_type":"LORA","target_modules":["x"],"rank_pattern":{"x":0}}""", "rank_pattern.x: found '0'")]
    [InlineData("""{"peft_type":"LORA","target_modules":["x"],"rank_pattern":{"x":null}}""", "rank_pattern.x: is absent")]
    [InlineData("""{"peft_type":"LORA","target_modules":["x"],"layers_to_transform":[-1]}""", "layers_to_transform: found -1")]
    [InlineData("""{"peft_type":"LORA","target_modules":["x"]""", "not valid JSON")]
    public void Wrong_values_are_named(string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<CheckpointException>(() => Read(json)).Message);

    [Fact]
    public void Listed_targets_match_whole_names_or_tails()
    {
        var config = Read("""{"peft_type":"LORA","target_modules":["query_key_value","mlp.dense_h_to_4h"]}""");

        Assert.True(config.Targets("gpt_neox.layers.0.attention.query_key_value"));
        Assert.True(config.Targets("query_key_value"));
        Assert.True(config.Targets("gpt_neox.layers.11.mlp.dense_h_to_4h"));
        Assert.False(config.Targets("gpt_neox.layers.0.attention.my_query_key_value"));
        Assert.False(config.Targets("gpt_neox.layers.0.mlp.dense_4h_to_h"));
        Assert.False(config.Targets("gpt_neox.layers.0.attention.query_key_value.extra"));
    }

    [Fact]
    public void Pattern_targets_match_the_whole_name()
    {
        var config = Read("""{"peft_type":"LORA","target_modules":"gpt_neox\\.layers\\.[02]\\.attention\\.(query_key_value|dense)"}""");

        Assert.True(config.Targets("gpt_neox.layers.2.attention.dense"));
        Assert.False(config.Targets("gpt_neox.layers.1.attention.dense"));
        Assert.False(config.Targets("x.gpt_neox.layers.2.attention.dense"));
        Assert.False(config.Targets("gpt_neox.layers.2.attention.dense.more"));
        Assert.True(Read("""{"peft_type":"LORA","target_modules":"a|b.c"}""").Targets("bxc"));
        Assert.False(Read("""{"peft_type":"LORA","target_modules":"a|b.c"}""").Targets("ax"));
    }

    [Fact]
    public void Pattern_that_runs_away_is_stopped()
    {
        var config = Read("""{"peft_type":"LORA","target_modules":"(a+)+b\\1"}""");
        Assert.Contains("cannot be matched", Assert.Throws<CheckpointException>(() => config.Targets(new string('a', 60))).Message);
    }

    [Fact]
    public void Layers_exclusions_and_saved_modules_narrow_the_targets()
    {
        var layers = Read(Minimal, ("layers_to_transform", new JsonArray(1, 10)), ("layers_pattern", "layers"));
        Assert.True(layers.Targets("gpt_neox.layers.10.attention.query_key_value"));
        Assert.False(layers.Targets("gpt_neox.layers.0.attention.query_key_value"));
        Assert.False(layers.Targets("gpt_neox.blocks.1.attention.query_key_value"));
        Assert.True(layers.Targets("query_key_value"));
        Assert.True(Read(Minimal, ("layers_to_transform", 2)).Targets("gpt_neox.blocks.2.attention.query_key_value"));

        var excluded = Read(Minimal, ("exclude_modules", new JsonArray("0.attention.query_key_value")));
        Assert.False(excluded.Targets("layers.0.attention.query_key_value"));
        Assert.True(excluded.Targets("layers.1.attention.query_key_value"));
        Assert.False(Read(Minimal, ("exclude_modules", ".*\\.0\\..*")).Targets("layers.0.attention.query_key_value"));

        var head = Read("""{"peft_type":"LORA","target_modules":"all-linear","task_type":"SEQ_CLS"}""");
        Assert.True(head.TargetsAllLinear);
        Assert.True(head.Targets("gpt_neox.layers.0.attention.dense"));
        Assert.False(head.Targets("score"));
    }

    [Fact]
    public void Patterns_set_rank_and_alpha_per_module()
    {
        var config = Read(Minimal, ("r", 4), ("lora_alpha", 8),
            ("rank_pattern", JsonNode.Parse("""{"1.attention.query_key_value":16,"attention.query_.*":2}""")),
            ("alpha_pattern", JsonNode.Parse("""{"^layers.0.attention.query_key_value":3.5}""")));

        Assert.Equal(16, config.RankOf("layers.1.attention.query_key_value"));
        Assert.Equal(2, config.RankOf("layers.11.attention.query_key_value"));
        Assert.Equal(4, config.RankOf("layers.1.mlp.dense"));
        Assert.Equal(8.0, config.AlphaOf("layers.1.attention.query_key_value"));
        Assert.Equal(3.5 / 2, config.ScalingOf("layers.0.attention.query_key_value"));
    }

    [Theory]
    [InlineData("a.b", "x.a.b", true)]
    [InlineData("a.b", "a.b", true)]
    [InlineData("a.b", "xa.b", false)]
    [InlineData("a.b", "axb", true)]
    [InlineData("a.b", "x.a.b.c", false)]
    [InlineData("a.b", "b", false)]
    [InlineData(".b", "xb", true)]
    [InlineData(".b", "a.xb", true)]
    [InlineData("", "", true)]
    [InlineData("", "a.", true)]
    [InlineData("", "a", false)]
    public void Plain_patterns_match_as_the_regular_expressions_they_are(string pattern, string module, bool matches)
    {
        LoraConfig Of(string text) => Read(Minimal, ("rank_pattern", new JsonObject { [text] = 3 }));
        Assert.Equal(matches ? 3 : 8, Of(pattern).RankOf(module));
        Assert.Equal(matches ? 3 : 8, Of($"(?:{pattern})").RankOf(module));
    }

    [Fact]
    public void Thousands_of_patterns_and_modules_match_in_seconds()
    {
        var patterns = new JsonObject(Enumerable.Range(0, 1500).SelectMany(i => new[]
        {
            KeyValuePair.Create($"layers.{i}.attention.query_key_value", (JsonNode?)(i + 1)),
            KeyValuePair.Create($"layers\\.{i}\\.attention\\.dense", (JsonNode?)(i + 1)),
        }));
        var config = Read(Minimal, ("rank_pattern", patterns));
        var watch = System.Diagnostics.Stopwatch.StartNew();
        for (var i = 0; i < 1500; i += 50) Assert.Equal(i + 1, config.RankOf($"gpt_neox.layers.{i}.attention.dense"));
        for (var i = 0; i < 1500; i += 5) Assert.Equal(i + 1, config.RankOf($"gpt_neox.layers.{i}.attention.query_key_value"));
        Assert.True(watch.Elapsed.TotalSeconds < 20, $"took {watch.Elapsed.TotalSeconds:0.0} s");
    }

    [Fact]
    public void Written_configuration_reads_back()
    {
        var config = new LoraConfig
        {
            Rank = 16, Alpha = 1.5, UseRslora = true, TargetModules = ["b", "a"], TaskType = "SEQ_CLS", ModulesToSave = ["score", "extra"],
            BaseModelNameOrPath = "EleutherAI/pythia-70m \u00e9", Dropout = 0.05,
            RankPattern = [new("x.*", 3)], AlphaPattern = [new("y", 2.5)], LayersToTransform = [0, 3], LayersPattern = ["layers"],
            ExcludeModules = ["z"],
        };
        config.Write(_scratch["c.json"]);
        var read = LoraConfig.Read(_scratch["c.json"]);

        Assert.Equal((16, 1.5, true, 0.05, "SEQ_CLS"), (read.Rank, read.Alpha, read.UseRslora, read.Dropout, read.TaskType));
        Assert.Equal(["b", "a"], read.TargetModules);
        Assert.Equal(["score", "extra", "classifier"], read.ModulesToSave);
        Assert.Equal(config.RankPattern, read.RankPattern);
        Assert.Equal(config.AlphaPattern, read.AlphaPattern);
        Assert.Equal([0, 3], read.LayersToTransform);
        Assert.Equal(["layers"], read.LayersPattern);
        Assert.Equal(["z"], read.ExcludeModules);
        Assert.Equal(config.BaseModelNameOrPath, read.BaseModelNameOrPath);
        Assert.Null(read.PeftVersion);
        Assert.Empty(read.Warnings);
        var keys = JsonNode.Parse(File.ReadAllText(_scratch["c.json"]))!.AsObject().Select(pair => pair.Key).ToList();
        Assert.Equal(keys.Order(StringComparer.Ordinal), keys);
    }

    private LoraConfig Read(string json, params (string Key, JsonNode? Value)[] changes)
    {
        if (changes.Length == 0) return LoraConfig.Read(_scratch.WriteText("adapter_config.json", json));
        var node = JsonNode.Parse(json)!.AsObject();
        foreach (var (key, value) in changes) node[key] = value;
        return LoraConfig.Read(_scratch.WriteText("adapter_config.json", node.ToJsonString()));
    }
}
