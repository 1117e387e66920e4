// In place of an add-on where an application renders its pages: there is no browser.
