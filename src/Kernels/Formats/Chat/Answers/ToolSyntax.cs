namespace EgpuFleet.Kernels.Formats.Chat.Answers;

/// <summary>How a family of models writes that it calls a tool.</summary>
/// <param name="Name">Stable, for records.</param>
/// <param name="Body">What stands between the markers.</param>
/// <param name="Open">Begins a call, or a list of them; empty: the answer as a whole is one.</param>
/// <param name="Close">Ends it; empty: nothing does but the end of the JSON.</param>
public sealed record ToolSyntax(string Name, ToolBody Body, string Open, string Close)
{
    /// <summary>Of <see cref="ToolBody.NamedJson"/>: between <see cref="Open"/> and the name.</summary>
    public string BeforeName { get; init; } = "";

    /// <summary>Of <see cref="ToolBody.NamedJson"/>: between the name and the arguments.</summary>
    public string AfterName { get; init; } = "";

    /// <summary>Of <see cref="ToolBody.NamedJson"/>: between the arguments and <see cref="Close"/>.</summary>
    public string AfterArguments { get; init; } = "";

    /// <summary>Before the first call.</summary>
    public string Before { get; init; } = "";

    /// <summary>Behind the last.</summary>
    public string After { get; init; } = "";

    /// <summary>What else is written around answers, and is no part of them.</summary>
    public IReadOnlyList<string> Dropped { get; init; } = [];

    /// <summary>Members of a call with its name and its arguments, as the model has learnt them; others are understood too.</summary>
    public (string Name, string Arguments) Members { get; init; } = ("name", "arguments");

    /// <summary>Whether one pair of markers holds a JSON array of calls.</summary>
    public bool IsList { get; init; }

    /// <summary>Markers that may be control tokens, which are no text unless they are asked for.</summary>
    public IReadOnlyList<string> Markers =>
        [
            .. new[] { Before, Open, AfterName, Close, After }
                .Append(BeforeName[BeforeNameText.Length..])
                .Concat(Dropped)
                .Select(one => one.Trim())
                .Where(one => one.Length > 0),
        ];

    /// <summary>Said wherever they stand outside of a call, these are left out.</summary>
    internal IEnumerable<string> Silent => Dropped.Append(Before).Append(After).Where(one => one.Length > 0);

    private string BeforeNameText => string.Concat(BeforeName.TakeWhile(char.IsAsciiLetter));
}

/// <summary>The forms of a call.</summary>
public enum ToolBody
{
    /// <summary><c>{"name":…,"arguments":{…}}</c>, or an array of such.</summary>
    Json,

    /// <summary>The name as text, then the arguments as JSON.</summary>
    NamedJson,

    /// <summary><c>&lt;function=name&gt;&lt;parameter=key&gt;value&lt;/parameter&gt;…&lt;/function&gt;</c>.</summary>
    Parameters,

    /// <summary>The name as text, then <c>&lt;arg_key&gt;key&lt;/arg_key&gt;&lt;arg_value&gt;value&lt;/arg_value&gt;…</c>.</summary>
    Pairs,
}
