"""CEL as the validation rules of custom resources speak it."""
