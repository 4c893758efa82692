// Security keys: forms with data-webauthn="create" or "get" ask the browser for a credential before they are sent.

const PROBLEMS = {
  NotAllowedError: "The security key was not used in time, or the browser was told not to.",
  InvalidStateError: "This security key is set up already.",
};

function say(form, message) {
  const place = form.querySelector("[data-webauthn-error]");
  place.textContent = message;
  place.hidden = !message;
}

async function credentialFor(form) {
  const { publicKey } = JSON.parse(document.getElementById("webauthn-options").textContent);
  if (form.dataset.webauthn === "create") {
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) });
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
}

for (const form of document.querySelectorAll("form[data-webauthn]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!window.PublicKeyCredential?.parseCreationOptionsFromJSON) {
      say(form, "This browser cannot use security keys here. A current version of it can.");
      return;
    }
    say(form, "");
    try {
      const credential = await credentialFor(form);
      form.elements.credential.value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch (error) {
      say(form, PROBLEMS[error.name] || `The security key did not work: ${error.message}`);
    }
  });
}
