using System.Runtime.InteropServices;
using System.Text;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.LlamaCpp.Native;

namespace EgpuFleet.Kernels.LlamaCpp.Text;

/// <summary>
/// The model's chat template, where it is one of those llama.cpp renders by itself (ChatML and some forty more); it knows
/// them by their text and does not interpret Jinja.
/// </summary>
internal sealed unsafe class ChatTemplate
{
    private readonly byte[] template;

    private ChatTemplate(byte[] template) => this.template = template;

    /// <summary>Null where the model has no template, or none that llama.cpp knows.</summary>
    public static ChatTemplate? Of(LlamaModelHandle model)
    {
        using var use = model.Use();
        var text = Llama.ModelChatTemplate(use.Pointer, null);
        if (text is null)
            return null;
        var found = new ChatTemplate([.. MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text), 0]);
        return found.TryRender([new ChatMessage("user", "?")]) is null ? null : found;
    }

    /// <summary>The messages as one text that ends where the assistant's answer begins.</summary>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>: the template refuses these messages.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages) =>
        TryRender(messages)
        ?? throw new EngineException(
            EngineErrorClass.InvalidRequest,
            "The model's chat template refuses these messages."
        );

    private string? TryRender(IReadOnlyList<ChatMessage> messages)
    {
        var texts = new byte[messages.Count * 2][];
        var pins = new GCHandle[texts.Length];
        try
        {
            var native = new LlamaChatMessage[messages.Count];
            for (var i = 0; i < messages.Count; i++)
            {
                native[i].Role = Pin(texts, pins, 2 * i, messages[i].Role);
                native[i].Content = Pin(texts, pins, (2 * i) + 1, messages[i].Content);
            }
            var buffer = new byte[texts.Sum(text => text.Length) + 1024];
            var length = Apply(native, buffer);
            if (length > buffer.Length)
            {
                buffer = new byte[length];
                length = Apply(native, buffer);
            }
            return length < 0 ? null : Encoding.UTF8.GetString(buffer, 0, length);
        }
        finally
        {
            foreach (var pin in pins.Where(pin => pin.IsAllocated))
                pin.Free();
        }
    }

    private int Apply(LlamaChatMessage[] messages, byte[] buffer)
    {
        fixed (byte* text = template)
        fixed (LlamaChatMessage* chat = messages)
        fixed (byte* output = buffer)
            return Llama.ChatApplyTemplate(text, chat, (nuint)messages.Length, true, output, buffer.Length);
    }

    private static byte* Pin(byte[][] texts, GCHandle[] pins, int index, string text)
    {
        texts[index] = [.. Encoding.UTF8.GetBytes(text), 0];
        pins[index] = GCHandle.Alloc(texts[index], GCHandleType.Pinned);
        return (byte*)pins[index].AddrOfPinnedObject();
    }
}
