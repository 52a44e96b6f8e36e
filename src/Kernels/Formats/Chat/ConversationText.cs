namespace EgpuFleet.Kernels.Formats.Chat;

/// <summary>
/// Conversations with tools as text. Templates differ in what they know: some want the arguments of a call as an object and
/// some as text, and some know nothing of tools. A probe tells; for those that know nothing the tools are described, called
/// and answered in the words of the messages, as Hermes models have it. Safe to use from any thread.
/// </summary>
public sealed class ConversationText
{
    private const string Needle = "egpufleet_probe";

    private static readonly TemplateMessage Question = new("user", "?");

    private readonly ChatTemplate template;
    private readonly Lazy<bool> knowsTools;
    private readonly Lazy<bool> wantsObjects;

    public ConversationText(ChatTemplate template)
    {
        this.template = template;
        knowsTools = new(ProbeTools);
        wantsObjects = new(ProbeArguments);
    }

    /// <summary>The conversation up to where the assistant speaks next.</summary>
    /// <exception cref="ChatTemplateException">As of <see cref="ChatTemplate.Render(IReadOnlyList{TemplateMessage}, bool)"/>.</exception>
    public string Render(IReadOnlyList<TemplateMessage> messages, TemplateSettings settings)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(settings);
        var usesTools =
            settings.Tools is not null || messages.Any(one => one.Role == "tool" || one.ToolCalls.Count > 0);
        if (usesTools && !knowsTools.Value)
            (messages, settings) = (ToolsInWords.Of(messages, settings.Tools), settings with { Tools = null });
        return Render(messages, settings, asObjects: !usesTools || wantsObjects.Value);
    }

    private string Render(IReadOnlyList<TemplateMessage> messages, TemplateSettings settings, bool asObjects) =>
        template.Render(TemplateInput.Of(messages, settings, asObjects));

    private bool ProbeTools()
    {
        const string parameters = """{"type":"object","properties":{}}""";
        const string tools =
            $$$"""[{"type":"function","function":{"name":"{{{Needle}}}","description":"","parameters":{{{parameters}}} } }]""";
        return Shows([Question], new TemplateSettings(tools), asObjects: true, Needle);
    }

    /// <summary>Unless it shows neither, an object is what published templates are written for.</summary>
    private bool ProbeArguments()
    {
        TemplateMessage[] called =
        [
            Question,
            new("assistant", "") { ToolCalls = [new("call12345", "probe", $$"""{"{{Needle}}":"x"}""")] },
            new("tool", "x") { ToolCallId = "call12345" },
        ];
        return Shows(called, new TemplateSettings(), asObjects: true, Needle)
            || !Shows(called, new TemplateSettings(), asObjects: false, Needle);
    }

    private bool Shows(TemplateMessage[] messages, TemplateSettings settings, bool asObjects, string needle)
    {
        try
        {
            return Render(messages, settings, asObjects).Contains(needle, StringComparison.Ordinal);
        }
        catch (ChatTemplateException)
        {
            return false;
        }
    }
}
