namespace LlmStageAudit.Checkpoints;

/// <summary>A value of tokenizer.json together with where it stands, so that every refusal can name the place.</summary>
internal readonly record struct JsonSite(JsonElement Element, string Where)
{
    public const int IdLimit = 1 << 24;
    public const int StepLimit = 64;

    /// <summary>The property's value, or null where it is absent or null.</summary>
    public JsonSite? Find(string name)
    {
        RequireKind(JsonValueKind.Object, "an object");
        return Element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? new JsonSite(value, $"{Where}.{name}")
            : null;
    }

    public JsonSite Required(string name) =>
        Find(name) ?? throw Fault($"no '{name}'", "that property");

    public IEnumerable<JsonSite> Items(int limit)
    {
        RequireKind(JsonValueKind.Array, "an array");
        var length = Element.GetArrayLength();
        if (length > limit) throw Fault($"{length} entries", $"at most {limit}");
        var where = Where;
        return Element.EnumerateArray().Select((item, index) => new JsonSite(item, $"{where}[{index}]"));
    }

    public string Text()
    {
        RequireKind(JsonValueKind.String, "a string");
        return JsonSection.Text(Element) ?? throw Fault("a string that is not Unicode", "valid UTF-8 and paired surrogates");
    }

    public string Text(string name) => Required(name).Text();

    public bool Flag(string name, bool absent) => Find(name) switch
    {
        null => absent,
        { Element.ValueKind: JsonValueKind.True } => true,
        { Element.ValueKind: JsonValueKind.False } => false,
        { } site => throw site.Fault(site.Shown(), "true or false"),
    };

    public int Number()
    {
        RequireKind(JsonValueKind.Number, "a number");
        return Element.TryGetInt32(out var number) && number >= 0
            ? number
            : throw Fault(Element.GetRawText(), "a non-negative 32-bit integer");
    }

    /// <summary>A token id: below <see cref="IdLimit"/>, so that tables indexed by id stay small.</summary>
    public int Id() =>
        Number() is var id && id < IdLimit ? id : throw Fault($"the id {id}", $"an id below {IdLimit}");

    /// <summary>Refuses a property that is neither absent, null, nor one of the values without effect.</summary>
    public void RequireInert(string name, Func<JsonElement, bool> inert)
    {
        if (Find(name) is { } site && !inert(site.Element)) throw site.Unsupported(site.Shown(), "null");
    }

    /// <summary>This value, an object, without keys beyond those that are read: what is not understood may change the ids.</summary>
    public JsonSite Only(params ReadOnlySpan<string> names)
    {
        RequireKind(JsonValueKind.Object, "an object");
        foreach (var property in Element.EnumerateObject())
        {
            var name = NameOf(property);
            if (!names.Contains(name)) throw Unsupported($"the key '{name}'", names);
        }

        return this;
    }

    /// <summary>The steps that a list names, each as the function reads it.</summary>
    public List<T> Steps<T>(string name, Func<JsonSite, T> read) => [.. Required(name).Items(StepLimit).Select(read)];

    /// <summary>
    /// Refuses keys that stand twice in an object, here and further in: which one counts differs between readers. An object under
    /// <paramref name="except"/> is left to its own reader.
    /// </summary>
    public void RequireUniqueKeys(string except)
    {
        if (Element.ValueKind == JsonValueKind.Array)
        {
            // Most of a file is its list of merges: strings, which hold no keys.
            foreach (var item in Element.EnumerateArray())
            {
                if (item.ValueKind is JsonValueKind.Object or JsonValueKind.Array) new JsonSite(item, Where).RequireUniqueKeys(except);
            }
        }
        else if (Element.ValueKind == JsonValueKind.Object)
        {
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (var property in Element.EnumerateObject())
            {
                var name = NameOf(property);
                if (!names.Add(name)) throw Fault($"the key '{name}' stands there twice", "each key once");
                if (name != except) new JsonSite(property.Value, $"{Where}.{name}").RequireUniqueKeys(except);
            }
        }
    }

    public string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            throw Fault("a key that is not Unicode", "valid UTF-8 and paired surrogates");
        }
    }

    public void RequireKind(JsonValueKind kind, string expected)
    {
        if (Element.ValueKind != kind) throw Fault(Shown(), expected);
    }

    public CheckpointException Fault(string found, string expected) => CheckpointException.At(Where, found, expected);

    public CheckpointException Unsupported(string found, params ReadOnlySpan<string> supported) =>
        CheckpointException.At(Where, $"{found} is not supported", string.Join(", ", supported),
            "it would change the ids, so it is not ignored");

    private string Shown() => Element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        _ => Element.GetRawText() is { Length: <= 60 } raw ? raw : $"{Element.GetRawText()[..60]}...",
    };
}
