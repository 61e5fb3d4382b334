using System.Globalization;
using System.Text.Json.Nodes;
using LlmStageAudit.Checkpoints;
using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Checkpoints.Tokenization;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Examples;

public sealed class ExampleReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<IDisposable> _owned = [];

    [Fact]
    public void Rows_are_filtered_then_limited_and_keep_ids_and_places()
    {
        var path = _folder.Write("rows.csv", "id,text,label,keep\na,one,1,1\nb,two,0,0\n,three,0,1\nd,four,1,1\n");
        var set = Reader(WithTokenizer()).Read(new DatasetSection { Path = path, Where = "keep == 1", Limit = 2 });
        Assert.Equal([("a", 1, 0), ("3", 0, 2)], set.Examples.Select(example => (example.Id, example.Label, example.RowIndex)));
        Assert.Empty(set.Rows);
        // Bytes are the tokens: two special ones, then the 256 bytes in the order of their printable signs.
        Assert.Equal(5, set.Examples[1].Ids.Length);
    }

    [Fact]
    public void Given_ids_need_no_tokenizer()
    {
        var path = _folder.Write("rows.jsonl", """{"ids": [4, 8, 15], "label": 1}""" + "\n" + """{"ids": [49], "label": 0}""" + "\n");
        var set = Reader(Model()).Read(new DatasetSection { Path = path, Ids = "ids" });
        Assert.Equal([[4, 8, 15], [49]], set.Examples.Select(example => example.Ids));
        Assert.Equal(["1", "2"], set.Examples.Select(example => example.Id));
    }

    [Fact]
    public void A_second_label_is_read_beside_the_sections_own()
    {
        var path = _folder.Write(
            "rows.jsonl",
            """{"ids": [4], "label": 1, "christian": 0.2}""" + "\n" + """{"ids": [5], "label": 0, "christian": 0.5}""" + "\n");
        var set = Reader(Model()).Read(new DatasetSection { Path = path, Ids = "ids" }, target: "christian >= 0.5", kept: _ => ["christian"]);
        Assert.Equal([1, 0], set.Examples.Select(example => example.Label));
        Assert.Equal([0, 1], set.Targets!);
        Assert.Equal(["0.2", "0.5"], set.Rows.Select(row => row.Text("christian")));
    }

    [Fact]
    public void The_format_of_civil_comments_is_known()
    {
        var path = _folder.Write("civil.csv", "id,comment_text,toxicity\n1,calm,0.1\n2,cross,0.5\n");
        var set = Reader(WithTokenizer()).Read(new DatasetSection { Path = path, Format = DatasetSection.CivilComments });
        Assert.Equal([0, 1], set.Examples.Select(example => example.Label));
    }

    /// <summary>pandas reads each of these cells as a missing value, and so does NaN >= 0.5 not say that a comment is harmless.</summary>
    [Theory]
    [InlineData("3,odd,", "no label (toxicity >= 0.5: 'toxicity' holds nothing)")]
    [InlineData("3,odd,nan", "no label (toxicity >= 0.5: 'toxicity' holds nothing)")]
    [InlineData("3,,0.9", "no text in 'comment_text'")]
    public void A_row_without_a_label_or_a_text_is_refused_or_left_out_and_counted(string row, string lack)
    {
        var path = _folder.Write("civil.csv", $"id,comment_text,toxicity\n1,calm,0.1\n{row}\n2,cross,0.5\n4,,NA\n");
        var section = new DatasetSection { Path = path, Format = DatasetSection.CivilComments };
        var error = Assert.Throws<ModelingException>(() => Reader(WithTokenizer()).Read(section));
        Assert.Equal($"{path}:3: row 2 has {lack}; expected one in every row; leave such rows out with data.missing: skip", error.Message);

        var set = Reader(WithTokenizer()).Read(section with { Missing = MissingRows.Skip, Limit = 2 });
        Assert.Equal(["1", "2"], set.Examples.Select(example => example.Id));
        var warning = Assert.Single(set.Warnings);
        Assert.Equal("rows-left-out", warning.Code);
        Assert.Equal($"{path}: 1 of 3 rows lack a label or a text and are left out (missing: skip), the first {path}:3: {lack}", warning.Message);

        // A filter that passes them over is a way, too.
        Assert.Equal(2, Reader(WithTokenizer()).Read(section with { Where = "id == 1 or id == 2" }).Examples.Count);
        error = Assert.Throws<ModelingException>(
            () => Reader(WithTokenizer()).Read(section with { Missing = MissingRows.Skip, Where = "id == 3" }));
        Assert.Contains($"no row is left: 1 lack a label or a text, the first {path}:3: {lack}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_filter_leaves_out_what_it_cannot_tell_and_says_so_where_nothing_is_left()
    {
        var path = _folder.Write("rows.csv", "text,label,keep\na,1,1\nb,0,\nc,0,0\n");
        Assert.Single(Reader(WithTokenizer()).Read(new DatasetSection { Path = path, Where = "not (keep >= 0.5)" }).Examples);
        var error = Assert.Throws<ModelingException>(
            () => Reader(WithTokenizer()).Read(new DatasetSection { Path = path, Where = "keep > 7" }));
        Assert.Contains("none of 3 rows passes where: keep > 7 (1 have an empty cell there, of which nothing is known)", error.Message);
    }

    [Fact]
    public void A_sample_is_a_function_of_its_seed_and_a_part_of_every_larger_one()
    {
        var rows = Enumerable.Range(0, 400).Select(i => $$"""{"id": "{{i}}", "ids": [{{4 + (i % 40)}}], "label": {{i % 2}}}""");
        var path = _folder.Write("rows.jsonl", string.Join('\n', rows));
        string[] Drawn(int size, long seed, string? where = null) =>
        [
            .. Reader(Model()).Read(new DatasetSection { Path = path, Ids = "ids", Sample = size, SampleSeed = seed, Where = where })
                .Examples.Select(example => example.Id),
        ];
        var (first, larger) = (Drawn(50, 7), Drawn(120, 7));
        Assert.Equal(first, Drawn(50, 7));
        Assert.Equal(50, first.Distinct().Count());
        Assert.Equal(first, larger.Intersect(first));
        Assert.Equal(first.OrderBy(Number), first);
        Assert.NotEqual(first, Drawn(50, 8));

        // 400 rows in four quarters, 100 drawn: each quarter has 25 on average, and 4 standard deviations are 15.
        var quarters = Drawn(100, 3).CountBy(id => Number(id) / 100).ToDictionary();
        Assert.All(Enumerable.Range(0, 4), quarter => Assert.InRange(quarters[quarter], 10, 40));
        Assert.All(Drawn(100, 3, "label == 1"), id => Assert.Equal(1, Number(id) % 2));
        Assert.Equal(400, Drawn(1000, 3).Length);

        static int Number(string id) => int.Parse(id, CultureInfo.InvariantCulture);
    }

    [Fact]
    public void Selections_that_fall_short_are_told()
    {
        var path = _folder.Write("rows.csv", "text,label\na,1\nb,0\n");
        foreach (var (section, key) in new[]
        {
            (new DatasetSection { Path = path, Limit = 3 }, "limit"),
            (new DatasetSection { Path = path, Sample = 3, SampleSeed = 1, Where = "label >= 0" }, "sample"),
        })
        {
            var model = WithTokenizer();
            var warning = Assert.Single(ExampleWarnings.Of("stage 'a'", section, Reader(model).Read(section), model.Labels));
            Assert.Equal(new Warning("limit-not-reached", $"stage 'a': 2 rows of the 3 that {key} asks for"), warning);
        }
    }

    [Fact]
    public void One_class_alone_is_told_with_what_the_cells_hold()
    {
        var path = _folder.Write("rows.csv", "text,label\na,toxic\nb,fine\nc,toxic\n");
        var section = new DatasetSection { Path = path, Label = "label == 'Toxic'" };
        var model = WithTokenizer();
        Assert.Equal(
            new Warning(
                "one-class",
                "probe 'p': all 3 examples have label 0, for the condition is never true: label == 'Toxic'; 'label' holds 'toxic', 'fine'"),
            Assert.Single(ExampleWarnings.Of("probe 'p'", section, Reader(model).Read(section), model.Labels)));
        section = new DatasetSection { Path = _folder.Write("ones.csv", "text,label\na,1\nb,1\n") };
        Assert.Equal(
            new Warning("one-class", "probe 'p': all 2 examples have label 1"),
            Assert.Single(ExampleWarnings.Of("probe 'p'", section, Reader(model).Read(section), model.Labels)));
    }

    [Fact]
    public void A_text_that_is_a_word_for_nothing_is_a_text_and_told()
    {
        var path = _folder.Write("rows.csv", "text,label\nnone taken,1\nNone,0\nNA,1\n");
        var set = Reader(WithTokenizer()).Read(new DatasetSection { Path = path });
        Assert.Equal(3, set.Examples.Count);
        Assert.Equal("text-says-nothing", Assert.Single(set.Warnings).Code);
        Assert.Contains($"2 of 3 texts are a word that pandas reads as a missing value, and were taken as text: 'None' at {path}:3", set.Warnings[0].Message);
    }

    [Fact]
    public void Long_texts_lose_their_end()
    {
        var path = _folder.Write("rows.jsonl", """{"ids": [1, 2, 3, 4, 5, 6], "label": 1}""" + "\n");
        Assert.Equal([1, 2, 3, 4], Reader(Model(), maxLength: 4).Read(new DatasetSection { Path = path, Ids = "ids" }).Examples[0].Ids);
        // Never longer than what the model takes: 24 positions.
        path = _folder.Write("long.jsonl", $$"""{"ids": [{{string.Join(", ", Enumerable.Repeat(7, 40))}}], "label": 1}""" + "\n");
        Assert.Equal(24, Reader(Model(), maxLength: 1000).Read(new DatasetSection { Path = path, Ids = "ids" }).Examples[0].Ids.Length);
    }

    [Theory]
    [InlineData(20, "abcdef", "xyz", "abcdefxyz", 6)]
    [InlineData(7, "abcdef", "xyz", "cdefxyz", 4)] // the prompt gives way, from its beginning
    [InlineData(4, "abcdef", "xyz", "fxyz", 1)]
    [InlineData(3, "abcdef", "xyz", "fxy", 1)] // a token of the prompt stays to predict the first from
    public void A_prompt_gives_way_to_its_completion(int maxLength, string prompt, string completion, string kept, int promptTokens)
    {
        var path = _folder.Write("rows.csv", $"text,answer\n{prompt},{completion}\n");
        var model = WithTokenizer(ModelTask.CausalLm);
        var example = Reader(model, maxLength).Read(new DatasetSection { Path = path, Text = "text", Completion = "answer" }).Examples[0];
        Assert.Equal(HuggingFaceTokenizer.Load(model.Folder.TokenizerPath!).Encode(kept, addSpecialTokens: false), example.Ids);
        Assert.Equal((promptTokens, -1), (example.PromptTokens, example.Label));
    }

    /// <summary>
    /// As Hugging Face's tokenizers cut: room for the special tokens is kept, the text is cut, and they are put around it.
    /// </summary>
    [Theory]
    [InlineData("{}", 4, "abcdef", "0 a b 1")]
    [InlineData("{}", 9, "abcdef", "0 a b c d e f 1")]
    [InlineData("""{"truncation_side":"left"}""", 4, "abcdef", "0 e f 1")]
    [InlineData("""{"model_max_length":5}""", null, "abcdef", "0 a b c 1")]
    [InlineData("""{"model_max_length":5}""", 6, "abcdef", "0 a b c d 1")]
    public void Special_tokens_outlive_the_cut(string config, int? maxLength, string text, string kept)
    {
        var path = _folder.Write("rows.csv", $"text,label\n{text},1\nab,0\n");
        var model = WithTemplate(ModelTask.SequenceClassification, config);
        var set = Reader(model, maxLength).Read(new DatasetSection { Path = path, Text = "text" });
        Assert.Equal(Spelled(model, kept), set.Examples[0].Ids);
        Assert.Equal(Spelled(model, "0 a b 1"), set.Examples[1].Ids);
        var cut = set.Warnings.Where(warning => warning.Code == "rows-cut").ToArray();
        if (kept.Split(' ').Length == text.Length + 2) Assert.Empty(cut);
        else Assert.Contains("1 of 2 rows are longer than", Assert.Single(cut).Message, StringComparison.Ordinal);
    }

    /// <summary>The template stands around prompt and completion together, and stays when the prompt gives way.</summary>
    [Theory]
    [InlineData(20, "0 a b c d e f x y z 1", 7)]
    [InlineData(8, "0 d e f x y z 1", 4)]
    [InlineData(5, "0 x y z 1", 1)]
    [InlineData(4, "0 x y 1", 1)]
    public void A_template_stands_around_prompt_and_completion(int maxLength, string kept, int promptTokens)
    {
        var path = _folder.Write("rows.csv", "text,answer\nabcdef,xyz\n");
        var model = WithTemplate(ModelTask.CausalLm, "{}");
        var example = Reader(model, maxLength).Read(new DatasetSection { Path = path, Text = "text", Completion = "answer" }).Examples[0];
        Assert.Equal(Spelled(model, kept), example.Ids);
        Assert.Equal(promptTokens, example.PromptTokens);
    }

    [Fact]
    public void A_length_without_room_for_a_text_is_refused()
    {
        var path = _folder.Write("rows.csv", "text,label\nabc,1\n");
        var reader = Reader(WithTemplate(ModelTask.SequenceClassification, "{}"), maxLength: 2);
        var error = Assert.Throws<ModelingException>(() => reader.Read(new DatasetSection { Path = path, Text = "text" }));
        Assert.Contains("2 tokens at most, of which the tokenizer's special tokens take 2", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"ids": [4], "label": 2}""", ":2: row 2 has label 2; expected 0 to 1")]
    [InlineData("""{"ids": [4], "label": -1}""", ":2: row 2 has label -1; expected 0 to 1")]
    [InlineData("""{"ids": [4, 50], "label": 1}""", ":2: token id 50; expected 0 to 49")]
    [InlineData("""{"ids": [-3], "label": 1}""", ":2: token id -3; expected 0 to 49")]
    [InlineData("""{"ids": [], "label": 1}""", ":2: row 2 has 0 tokens; expected at least 1")]
    [InlineData("""{"ids": null, "label": 1}""", ":2: row 2 has no token ids in 'ids'; expected one in every row")]
    public void Bad_rows_are_named_by_file_and_line(string row, string expected)
    {
        var path = _folder.Write("rows.jsonl", """{"ids": [4], "label": 1}""" + "\n" + row + "\n");
        var error = Assert.Throws<ModelingException>(() => Reader(Model()).Read(new DatasetSection { Path = path, Ids = "ids" }));
        Assert.StartsWith(path + expected, error.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Input, error.Kind);
    }

    [Fact]
    public void A_list_that_is_no_list_of_integers_is_refused()
    {
        var path = _folder.Write("rows.jsonl", """{"ids": "4 5", "label": 1}""" + "\n");
        Assert.Throws<CheckpointException>(() => Reader(Model()).Read(new DatasetSection { Path = path, Ids = "ids" }));
    }

    [Fact]
    public void An_empty_text_is_named_by_file_and_line()
    {
        var path = _folder.Write("rows.csv", "text,label\nfine,1\n\"\",0\n");
        var error = Assert.Throws<ModelingException>(() => Reader(WithTokenizer()).Read(new DatasetSection { Path = path }));
        Assert.StartsWith($"{path}:3: row 2 has no text in 'text'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_causal_model_needs_a_token_to_predict()
    {
        var path = _folder.Write("rows.jsonl", """{"ids": [4, 5]}""" + "\n" + """{"ids": [4]}""" + "\n");
        var error = Assert.Throws<ModelingException>(
            () => Reader(Model(ModelTask.CausalLm)).Read(new DatasetSection { Path = path, Ids = "ids" }));
        Assert.StartsWith($"{path}:2: row 2 has 1 tokens; expected at least 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_filter_that_selects_nothing_is_quoted()
    {
        var path = _folder.Write("rows.jsonl", """{"ids": [4], "label": 1}""" + "\n");
        var error = Assert.Throws<ModelingException>(
            () => Reader(Model()).Read(new DatasetSection { Path = path, Ids = "ids", Where = "label == 7" }));
        Assert.Contains("none of 1 rows passes where: label == 7", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_column_is_answered_with_the_nearest()
    {
        var path = _folder.Write("rows.csv", "coment,label\nx,1\n");
        var error = Assert.Throws<ModelingException>(
            () => Reader(WithTokenizer()).Read(new DatasetSection { Path = path, Text = "comment" }));
        Assert.Contains("no column 'comment'; set data.text; did you mean 'coment'?", error.Message, StringComparison.Ordinal);
        Assert.Throws<ConfigurationException>(
            () => Reader(WithTokenizer()).Read(new DatasetSection { Path = path, Text = "coment", Label = "lable" }));
    }

    [Fact]
    public void Text_without_a_tokenizer_is_an_error()
    {
        var path = _folder.Write("rows.csv", "text,label\nx,1\n");
        var error = Assert.Throws<ModelingException>(() => Reader(Model()).Read(new DatasetSection { Path = path }));
        Assert.Contains("no tokenizer.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tokenizer_of_another_model_is_found_out()
    {
        // The model knows 50 tokens, the tokenizer 258.
        var path = _folder.Write("rows.csv", "text,label\nfine,1\n");
        var error = Assert.Throws<ModelingException>(
            () => Reader(WithTokenizer(vocabulary: TinyModel.Vocabulary)).Read(new DatasetSection { Path = path }));
        Assert.StartsWith($"{path}:2: token id ", error.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        foreach (var owned in _owned) owned.Dispose();
        _folder.Dispose();
    }

    private static ExampleReader Reader(LanguageModel model, int? maxLength = null) => new(model, maxLength);

    private LanguageModel Model(ModelTask task = ModelTask.SequenceClassification, int vocabulary = TinyModel.Vocabulary)
    {
        var (model, state) = TinyModel.Load(TinyModel.Write(_folder, vocabulary: vocabulary), task);
        _owned.Add(model);
        _owned.Add(state);
        return model;
    }

    /// <summary>A tokenizer of bytes that puts its tokens 0 and 1 around a text.</summary>
    private LanguageModel WithTemplate(ModelTask task, string config)
    {
        TinyModel.Write(_folder);
        var path = _folder.At("model", "tokenizer.json");
        BytePairTrainer.Train([], 258, path);
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        var tokens = json["added_tokens"]!.AsArray().Select(token => token!["content"]!).ToArray();
        JsonObject Special(int id) => new() { ["SpecialToken"] = new JsonObject { ["id"] = tokens[id].DeepClone(), ["type_id"] = 0 } };
        JsonObject Definition(int id) => new()
        {
            ["id"] = tokens[id].DeepClone(), ["ids"] = new JsonArray(id), ["tokens"] = new JsonArray(tokens[id].DeepClone()),
        };
        json["post_processor"] = new JsonObject
        {
            ["type"] = "TemplateProcessing",
            ["single"] = new JsonArray(
                Special(0), new JsonObject { ["Sequence"] = new JsonObject { ["id"] = "A", ["type_id"] = 0 } }, Special(1)),
            ["pair"] = new JsonArray(),
            ["special_tokens"] = new JsonObject
            {
                [tokens[0].GetValue<string>()] = Definition(0), [tokens[1].GetValue<string>()] = Definition(1),
            },
        };
        File.WriteAllText(path, json.ToJsonString());
        _folder.Write("model/tokenizer_config.json", config);
        return Model(task, 258);
    }

    /// <summary>Ids of letters as the bytes they are, and of the special tokens 0 and 1.</summary>
    private static int[] Spelled(LanguageModel model, string tokens)
    {
        var tokenizer = HuggingFaceTokenizer.Load(model.Folder.TokenizerPath!);
        return
        [
            .. tokens.Split(' ').Select(token =>
                token is "0" or "1" ? token[0] - '0' : tokenizer.Encode(token, addSpecialTokens: false).Single()),
        ];
    }

    private LanguageModel WithTokenizer(ModelTask task = ModelTask.SequenceClassification, int vocabulary = 258)
    {
        TinyModel.Write(_folder);
        BytePairTrainer.Train([], 258, _folder.At("model", "tokenizer.json"));
        return Model(task, vocabulary);
    }
}
