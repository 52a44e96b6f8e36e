namespace EgpuFleet.Kernels.Formats.Chat;

/// <summary>Stable codes of <see cref="ChatTemplateException"/>.</summary>
public static class ChatTemplateFault
{
    /// <summary>The template is not Jinja that is understood here, or fails where it should render.</summary>
    public const string Invalid = "chat_template_invalid";

    /// <summary>The template itself refuses the conversation, such as one that does not begin with the user.</summary>
    public const string Refused = "chat_template_refused";

    /// <summary>Rendering took more time, memory, depth or text than any real template.</summary>
    public const string Limit = "chat_template_limit";

    /// <summary>It does not show where the assistant speaks: what comes before an answer depends on what comes after it.</summary>
    public const string NotPrefixStable = "chat_template_not_prefix_stable";
}
